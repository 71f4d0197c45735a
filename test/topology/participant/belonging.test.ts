import { describe, expect, it } from 'vitest';
import { Belonging } from '../../../src/topology/participant/belonging.js';
import type { FleetMember } from '../../../src/topology/state/fleet.js';
import type { StoredRing, StoreEvent } from '../../../src/topology/store/ring-store.js';
import { ManualTimers } from '../../support/manual-timers.js';
import { ring } from '../views/seen-fleet.js';

function member(id: string, fencedOff = false): FleetMember {
  return { id, alive: true, fencedOff, answer: null, info: null };
}

class Stage {
  id = 'p1';
  members: FleetMember[] = [member('p1'), member('p2')];
  readonly calls: string[] = [];
  readonly warnings: string[] = [];
  readonly timers = new ManualTimers();
  /** How often joining fails. */
  failures = 0;
  isAway = false;
  ring: StoredRing | null = ring(1);
  #listener: (event: StoreEvent) => void = () => {};
  readonly belonging = new Belonging(
    {
      memberId: () => this.id,
      store: {
        members: () => (this.isAway ? Promise.reject(new Error('away')) : Promise.resolve(this.members)),
        load: () => (this.isAway ? Promise.reject(new Error('away')) : Promise.resolve(this.ring)),
        isKnownMember: (id) => Promise.resolve(this.isAway ? null : this.members.some((one) => one.id === id)),
        watch: (listener) => {
          this.#listener = listener;
          return () => {};
        },
      },
      suspend: () => void this.calls.push('suspend'),
      leave: () => {
        this.calls.push('leave');
        return Promise.resolve();
      },
      join: () => {
        this.calls.push('join');
        return Promise.resolve();
      },
      joinAnew: () => {
        this.calls.push('join anew');
        if (this.failures-- > 0) return Promise.reject(new Error('etcd is away'));
        this.id = `${this.id}'`;
        this.members = [...this.members, member(this.id)];
        return Promise.resolve();
      },
      warn: (message) => void this.warnings.push(message),
    },
    this.timers,
  );

  tell(): Promise<void> {
    this.#listener({ kind: 'members', revision: 1 });
    return settled();
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a proxy of a fleet', () => {
  it('goes on while it belongs to it, whatever becomes of others', async () => {
    const stage = new Stage();
    stage.belonging.begin();
    stage.members = [member('p1'), member('p2', true)];
    await stage.tell();
    expect(stage.calls).toEqual([]);
  });

  it.each([
    ['was fenced off', [member('p1', true), member('p2')], /heard nothing of it for longer than its lease/],
    ['was forgotten', [member('p2')], /called dead/],
  ])('that %s stops first, and then joins under another id, once', async (_what, members, said) => {
    const stage = new Stage();
    stage.belonging.begin();
    await settled();
    stage.members = [...members];
    await stage.tell();
    await stage.tell();
    expect(stage.calls).toEqual(['suspend', 'leave', 'join anew']);
    expect(stage.id).toBe("p1'");
    expect(stage.warnings).toEqual([expect.stringMatching(said)]);
  });

  it('goes on where the record of its fleet is lost, which is said once, and joins the ring that is made next', async () => {
    const stage = new Stage();
    stage.belonging.begin();
    await settled();
    stage.members = [];
    stage.ring = null;
    await stage.tell();
    await stage.tell();
    expect(stage.calls).toEqual([]);
    expect(stage.warnings).toEqual([expect.stringMatching(/^etcd has lost the ring: .* start it again/)]);
    stage.members = [member('p3')];
    stage.ring = ring(1);
    await stage.tell();
    expect(stage.calls).toEqual(['suspend', 'leave', 'join anew']);
  });

  it('that cannot join anew tries again, and speaks to no node meanwhile', async () => {
    const stage = new Stage();
    stage.failures = 2;
    stage.belonging.begin();
    stage.members = [];
    await stage.tell();
    expect(stage.calls).toEqual(['suspend', 'leave', 'join anew']);
    stage.timers.advance(200);
    await settled();
    stage.timers.advance(400);
    await settled();
    expect(stage.calls).toEqual(['suspend', 'leave', 'join anew', 'join anew', 'join anew']);
    expect(stage.warnings.at(-1)).toMatch(/cannot join anew yet: etcd is away/);
  });

  it('that is passed again while it joins does so once more', async () => {
    const stage = new Stage();
    stage.belonging.begin();
    stage.members = [];
    await stage.tell();
    stage.members = [];
    await stage.tell();
    expect(stage.calls).toEqual(['suspend', 'leave', 'join anew', 'suspend', 'leave', 'join anew']);
  });

  it.each([
    ['registers under the id of before', [member('p1')], ['join']],
    ['joins under another id where that counts no more', [member('p2')], ['suspend', 'leave', 'join anew']],
  ] as const)('that has begun without its store %s when that is back', async (_what, members, calls) => {
    const stage = new Stage();
    stage.isAway = true;
    void stage.belonging.beginWhenReachable();
    await settled();
    expect(stage.calls).toEqual([]);
    stage.isAway = false;
    stage.members = [...members];
    stage.timers.advance(200);
    await settled();
    expect(stage.calls).toEqual(calls);
  });

  it('takes a store that does not answer for no news', async () => {
    const stage = new Stage();
    stage.belonging.begin();
    stage.isAway = true;
    stage.belonging.look();
    await settled();
    expect(stage.calls).toEqual([]);
  });
});
