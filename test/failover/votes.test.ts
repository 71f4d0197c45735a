import { describe, expect, it } from 'vitest';
import type { Replication } from '../../src/failover/replication.js';
import { judgeSentinels, judgeServers, type SentinelAnswer } from '../../src/failover/votes.js';

const OLD = 'old:1';
const NEW = 'new:1';
const says = (address: string, epoch: number): SentinelAnswer => ({ sentinel: 's:1', address, epoch });
const silent: SentinelAnswer = { sentinel: 's:2', error: 'it did not answer in time' };
const current = { address: OLD, epoch: 3 };

describe('Sentinels', () => {
  it('are believed when a majority of all that are named says the same', () => {
    expect(judgeSentinels([says(NEW, 4), says(NEW, 4), says(OLD, 3)], current, true)).toEqual({
      found: { address: NEW, epoch: 4 },
      why: `a minority of its Sentinels says that its master is ${OLD}`,
    });
    expect(judgeSentinels([says(OLD, 3), says(OLD, 3), silent], null, false).found).toEqual(current);
  });

  it('are not believed where a minority says it, however high its epoch', () => {
    expect(judgeSentinels([says(NEW, 99), says(OLD, 3), says(OLD, 3)], current, true).found).toEqual(current);
    expect(judgeSentinels([says(NEW, 4), silent, silent], current, true).found).toBeNull();
    expect(judgeSentinels([says(NEW, 4), says(OLD, 3)], current, true).found).toBeNull();
    expect(judgeSentinels([silent], null, false).why).toContain('known: 1 of its 1 Sentinels do not say where it is');
    expect(judgeSentinels([silent], current, true).why).toMatch(/^stays with old:1: 1 of its 1 Sentinels/);
  });

  it('are taken by the epoch that a majority vouches for', () => {
    expect(judgeSentinels([says(NEW, 99), says(NEW, 4), says(NEW, 4)], current, true).found?.epoch).toBe(4);
  });

  it('that say what was true before are passed over while the master is one', () => {
    const late = [says(NEW, 2), says(NEW, 2), says(NEW, 2)];
    expect(judgeSentinels(late, current, true).found).toBeNull();
    expect(judgeSentinels(late, current, false).found).toEqual({ address: NEW, epoch: 2 });
  });
});

const master = (history: string, formerHistory = ''): Replication => ({
  ...{ role: 'master', history, formerHistory, formerOffset: 10, offset: 20 },
});
const replica: Replication = { ...master('h1'), role: 'replica' };

describe('servers that know of themselves whether they are master', () => {
  it('are taken at their word when one says so', () => {
    const found = judgeServers(
      [
        { address: OLD, replication: null },
        { address: NEW, replication: master('h2') },
      ],
      { address: OLD, epoch: null },
    );
    expect(found).toEqual({ found: { address: NEW, epoch: null }, why: '' });
  });

  it('count by which was promoted last, whoever was known before', () => {
    const both = [
      { address: OLD, replication: master('h1') },
      { address: NEW, replication: master('h2', 'h1') },
    ];
    for (const known of [null, { address: OLD, epoch: null }, { address: NEW, epoch: null }])
      expect(judgeServers(both, known).found?.address).toBe(NEW);
  });

  it('of which neither follows the other leave all as it was', () => {
    const both = [
      { address: OLD, replication: master('h1') },
      { address: NEW, replication: master('h9') },
    ];
    expect(judgeServers(both, { address: OLD, epoch: null }).found?.address).toBe(OLD);
    expect(judgeServers(both, null)).toEqual({
      ...{ found: null, why: `${OLD} and ${NEW} say that they are master, and neither follows the other` },
    });
  });

  it('take the place of the one that served only with a history that goes on from there', () => {
    const known = { address: NEW, epoch: null };
    const last = master('h2', 'h1');
    const judge = (old: Replication, now: Replication | null): ReturnType<typeof judgeServers> =>
      judgeServers(
        [
          { address: OLD, replication: old },
          { address: NEW, replication: now },
        ],
        ...[known, last],
      );
    // A former master that was started again, with or without what it knew of its history.
    for (const former of [master('h1'), master('h7'), master('h7', 'h1')]) {
      expect(judge(former, null).found).toBeNull();
      expect(judge(former, null).why).toContain(`${OLD} says that it is master, but lacks what ${NEW}`);
      expect(judge(former, { ...master('h2', 'h1'), role: 'replica' }).found).toBeNull();
      // The one that served was started anew.
      expect(judge(former, master('h8')).found).toEqual(known);
      // It has been made a replica of the other one, and has what that has.
      expect(judge(former, { ...former, role: 'replica' }).found?.address).toBe(OLD);
    }
    expect(judge(master('h3', 'h2'), null)).toEqual({ found: { address: OLD, epoch: null }, why: '' });
    expect(judge(master('h3', 'h2'), master('h8')).found?.address).toBe(OLD);
  });

  it('may all be replicas', () => {
    const verdict = judgeServers([{ address: OLD, replication: replica }], null);
    expect(verdict.found).toBeNull();
    expect(verdict.why).toContain('all of them are replicas');
  });
});
