/** A member that does not answer is left out only when nothing of it can run any more: in one order, and by steps that are checked. */
import { describe, expect, it } from 'vitest';
import { NodeFailure } from '../../../src/node/failure.js';
import { seeWhoIsThere } from '../../../src/topology/coordinator/attendance.js';
import { PASSING_MARGIN_MS, Passing } from '../../../src/topology/coordinator/passing.js';
import type { FleetMember, MemberInfo } from '../../../src/topology/state/fleet.js';
import type { Consistency } from '../../../src/topology/state/ring-state.js';
import { ManualTimers } from '../../support/manual-timers.js';

const NODES = ['a', 'b'].map((name, i) => ({ name, address: `127.0.0.1:${i + 1}`, weight: 1, id: i, access: {} }));

function info(id: string): MemberInfo {
  return { admin: `http://${id}:6390`, version: '1.0.0', workers: 1, startedAt: '2026-01-01T00:00:00.000Z', format: 1 };
}

class Fleet {
  readonly timers = new ManualTimers();
  /** In their order: what was written, and which nodes were asked to drop whom. */
  readonly calls: string[] = [];
  readonly told: string[] = [];
  members: FleetMember[];
  /** What is read, where that is a moment old. */
  read: FleetMember[] | null = null;
  consistency: Consistency = 'strict';
  /** By the node's name: what it says. */
  readonly failing = new Map<string, Error>();
  readonly passing = new Passing(
    {
      store: {
        members: () => Promise.resolve(this.read ?? this.members),
        register: () => Promise.resolve(null),
        answer: () => Promise.resolve(null),
        fenceOff: (id) => {
          const alive = this.members.some((member) => member.id === id && member.alive);
          this.calls.push(`fence off ${id}${alive ? ': refused' : ''}`);
          if (!alive) this.change(id, { fencedOff: true });
          return Promise.resolve(!alive);
        },
        deregister: (ids) => {
          this.calls.push(`take out ${ids.join()}`);
          this.members = this.members.filter(({ id }) => !ids.includes(id));
          return Promise.resolve();
        },
      },
      nodes: () => NODES,
      consistency: () => this.consistency,
      killPredecessors: ([node], [id]) => {
        const name = node?.name ?? '';
        this.calls.push(`${name} drops ${id}`);
        const failure = this.failing.get(name);
        return failure === undefined ? Promise.resolve() : Promise.reject(failure);
      },
      info: () => {},
      warn: (message) => void this.told.push(message),
    },
    this.timers,
  );

  constructor(...ids: readonly string[]) {
    this.members = ids.map((id) => ({ id, alive: true, fencedOff: false, answer: null, info: info(id) }));
  }

  change(id: string, changed: Partial<FleetMember>): void {
    this.members = this.members.map((one) => (one.id === id ? { ...one, ...changed } : one));
  }

  /** Looks again and again while so much time passes. */
  async pass(milliseconds = 0): Promise<string[]> {
    let remaining = await this.passing.pass();
    for (let passed = 0; passed < milliseconds; passed += 100) {
      this.timers.advance(100);
      remaining = await this.passing.pass();
    }
    return remaining.map(({ member, why }) => `${member.id}: ${why}`);
  }
}

const ORDER = ['fence off p2', 'a drops p2', 'b drops p2', 'take out p2'];

describe('a member whose lease has run out', () => {
  it('is marked, dropped by every node, and taken out, in this order, after a margin', async () => {
    const fleet = new Fleet('p1', 'p2');
    expect(await fleet.pass(5000)).toEqual([]);
    fleet.change('p2', { alive: false });
    expect(await fleet.pass(PASSING_MARGIN_MS - 100)).toEqual(['p2: its lease has only just run out']);
    expect(fleet.calls).toEqual([]);
    expect(await fleet.pass(100)).toEqual([]);
    expect(fleet.calls).toEqual(ORDER);
    expect(fleet.told).toEqual([
      expect.stringMatching(/^the proxy p2 \(http:\/\/p2:6390\), whose lease ran out at least 1 s ago/),
    ]);
  });

  it('begins anew with the margin when it lives meanwhile', async () => {
    const fleet = new Fleet('p1', 'p2');
    fleet.change('p2', { alive: false });
    await fleet.pass(PASSING_MARGIN_MS - 100);
    fleet.change('p2', { alive: true });
    await fleet.pass();
    fleet.change('p2', { alive: false });
    await fleet.pass(PASSING_MARGIN_MS - 100);
    expect(fleet.calls).toEqual([]);
  });

  it('is let be where it lives again by the time that it is marked', async () => {
    const fleet = new Fleet('p1', 'p2');
    fleet.change('p2', { alive: false });
    await fleet.pass(PASSING_MARGIN_MS - 100);
    fleet.timers.advance(200);
    fleet.read = fleet.members;
    fleet.change('p2', { alive: true });
    expect(await fleet.pass()).toEqual(['p2: its lease holds again']);
    expect(fleet.calls).toEqual(['fence off p2: refused']);
    fleet.read = null;
    expect(await fleet.pass()).toEqual([]);
  });

  it('is not taken out before every node has dropped it, and a node that has no process has', async () => {
    const fleet = new Fleet('p1', 'p2');
    fleet.change('p2', { alive: false });
    fleet.failing.set('a', new Error('a (127.0.0.1:1) does not answer'));
    fleet.failing.set(
      'b',
      new NodeFailure({ name: 'b', address: '127.0.0.1:2' }, { kind: 'refused', step: 'connect', detail: '' }),
    );
    expect(await fleet.pass(5000)).toEqual([
      'p2: its connections may still carry commands: a (127.0.0.1:1) does not answer',
    ]);
    expect(fleet.calls).not.toContain('take out p2');
    expect(fleet.told.filter((told) => told.includes('counts in every change'))).toHaveLength(1);
    fleet.failing.delete('a');
    expect(await fleet.pass()).toEqual([]);
    expect(fleet.calls.at(-1)).toBe('take out p2');
  });

  it('is passed by nobody where consistency is available, but forgotten at a word', async () => {
    const fleet = new Fleet('p1', 'p2');
    fleet.consistency = 'available';
    fleet.change('p2', { alive: false });
    expect(await fleet.pass(60_000)).toEqual([expect.stringMatching(/^p2: nobody is passed.*proxies forget/)]);
    expect(fleet.calls).toEqual([]);
    const [, dead] = fleet.members;
    if (dead === undefined) throw new Error('there is none');
    expect(await fleet.passing.forget(dead)).toBeNull();
    expect(fleet.calls).toEqual(ORDER);
  });

  it('that was forgotten while a node was away is taken out when that is back', async () => {
    const fleet = new Fleet('p1', 'p2');
    fleet.consistency = 'available';
    fleet.change('p2', { alive: false });
    fleet.failing.set('b', new Error('b does not answer'));
    const [, dead] = fleet.members;
    if (dead === undefined) throw new Error('there is none');
    expect(await fleet.passing.forget(dead)).toContain('b does not answer');
    expect(fleet.members.map(({ fencedOff }) => fencedOff)).toEqual([false, true]);
    fleet.failing.clear();
    expect(await fleet.pass()).toEqual([]);
    expect(fleet.members.map(({ id }) => id)).toEqual(['p1']);
  });
});

describe('before a fence', () => {
  it('a member whose lease has just run out is waited for, and passed', async () => {
    const fleet = new Fleet('p1', 'p2');
    fleet.change('p2', { alive: false });
    const seen = seeWhoIsThere(fleet.passing, fleet.timers);
    for (let i = 0; i < 15; i++) {
      await new Promise(setImmediate);
      fleet.timers.advance(100);
    }
    await seen;
    expect(fleet.calls).toEqual(ORDER);
  });

  it('the change is refused with who it is and why, where it cannot be passed', async () => {
    const fleet = new Fleet('p1', 'p2');
    fleet.consistency = 'available';
    fleet.change('p2', { alive: false });
    const seen = seeWhoIsThere(fleet.passing, fleet.timers).catch((error: unknown) => error);
    for (let i = 0; i < 25; i++) {
      await new Promise(setImmediate);
      fleet.timers.advance(100);
    }
    expect(await seen).toMatchObject({
      code: 'PROXY_GONE',
      message: expect.stringMatching(
        /^the proxy p2 \(http:\/\/p2:6390\), whose lease ran out at least 2 s ago, has to agree/,
      ),
      hint: expect.stringContaining('ringproxy proxies forget ID'),
    });
  });

  it('nobody is waited for where all are alive', async () => {
    const fleet = new Fleet('p1', 'p2');
    await seeWhoIsThere(fleet.passing, fleet.timers);
    expect([fleet.timers.pending, fleet.calls]).toEqual([0, []]);
  });
});
