import { describe, expect, it } from 'vitest';
import { nodeKey } from '../../../src/node/identity.js';
import {
  type EjectionSettings,
  Judgement,
  type Sight,
  type Verdict,
} from '../../../src/topology/ejection/judgement.js';
import type { EjectedNode } from '../../../src/topology/state/ejection.js';
import type { Member, RingState, RunningChange } from '../../../src/topology/state/ring-state.js';
import { OPTIONS } from '../manager-stage.js';

const SETTINGS: EjectionSettings = {
  ejectAfter: 1000,
  ejectMaxNodes: 1,
  minNodes: 1,
  rejoinAfter: 100,
  rejoinAfterMax: 350,
};
const member = (name: string, id: number): Member => ({ name, address: `${name}:1`, weight: 1, id, access: {} });
const ALL = ['a', 'b', 'c', 'd'].map(member);

function ring(names: string, ejected: readonly EjectedNode[] = []): RingState {
  const members = ALL.filter(({ name }) => names.includes(name));
  return { generation: 1, members, options: OPTIONS, change: null, ejected };
}

const ejected = (name: string, times = 1): EjectedNode => ({
  ...(ALL.find((node) => node.name === name) as Member),
  since: '2026-01-01T00:00:00.000Z',
  why: 'down',
  times,
  proxies: [],
});

const SAID = { since: '2026-01-01T00:00:00.000Z', why: 'it refused the connection' };

/** @param down what each live proxy says is down; null: it has said nothing lately */
function sight(state: RingState, ...down: readonly (string | null)[]): Sight {
  return {
    state,
    opinions: down.map((names, i) => ({
      proxy: `p${i + 1}`,
      down:
        names === null
          ? null
          : new Map(ALL.filter(({ name }) => names.includes(name)).map((node) => [nodeKey(node), SAID])),
    })),
    answers: (node) => down[0]?.includes(node.name) !== true,
  };
}

/** What is judged when it has been so from 0 to `until`. */
function judgedAfter(until: number, seen: Sight, settings: Partial<EjectionSettings> = {}): Verdict | null {
  const judgement = new Judgement();
  judgement.judge(seen, { ...SETTINGS, ...settings }, 0);
  return judgement.judge(seen, { ...SETTINGS, ...settings }, until);
}

const names = (verdict: Verdict | null): string =>
  verdict?.kind === 'eject' ? verdict.nodes.map(({ node }) => node.name).join('') : '';

describe('a node is ejected', () => {
  it('when it was down for so long, and no sooner', () => {
    expect(judgedAfter(999, sight(ring('abc'), 'a'))).toBeNull();
    expect(judgedAfter(1000, sight(ring('abc'), 'a'))).toEqual({
      kind: 'eject',
      nodes: [{ node: ALL[0], why: 'down for 1 s (it refused the connection)' }],
    });
  });

  it('when a majority of the live proxies says so; those that say nothing are none', () => {
    expect(names(judgedAfter(1000, sight(ring('abc'), 'a', 'a', '')))).toBe('a');
    for (const down of [
      ['a', '', ''],
      ['a', ''],
      ['a', null],
      ['a', 'a', null, null],
      ['a', 'b', 'c'],
    ])
      expect(judgedAfter(1000, sight(ring('abc'), ...down))).toBeNull();
    const verdict = judgedAfter(1000, sight(ring('abc'), 'a', 'a', ''));
    const saidIn = (seen: Verdict | null): string => (seen?.kind === 'eject' ? (seen.nodes[0]?.why ?? '') : '');
    const { since, why } = SAID;
    expect(saidIn(verdict)).toBe(
      `down for 1 s for 2 of 3 proxies (p1 since ${since}: ${why}; p2 since ${since}: ${why}; p3 is answered)`,
    );
    const many = [...Array.from({ length: 9 }, () => 'a'), null, ''];
    expect(saidIn(judgedAfter(1000, sight(ring('abc'), ...many)))).toMatch(/; p8 since [^;]*; and 3 more\)$/);
    expect(saidIn(judgedAfter(1000, sight(ring('abc'), 'a', 'a', null)))).toMatch(
      /; p3 has not said anything lately\)$/,
    );
  });

  it('not by proxies for which most nodes are down: they are cut off themselves', () => {
    for (const down of [['abc'], ['ab'], ['a', 'abc', '']]) {
      const seen = sight(ring('abc'), ...down);
      expect(judgedAfter(999, seen)).toBeNull();
      const why = expect.stringMatching(/^down: a.*more than half of the nodes/);
      expect(judgedAfter(1000, seen)).toMatchObject({ kind: 'refuse', why });
    }
    expect(names(judgedAfter(1000, sight(ring('ab'), 'a')))).toBe('a');
  });

  it('not when it was back in between', () => {
    const judgement = new Judgement();
    const judge = (down: string, now: number): Verdict | null =>
      judgement.judge(sight(ring('abc'), down), SETTINGS, now);
    judge('a', 0);
    judge('', 900);
    judge('a', 1000);
    expect(judge('a', 1900)).toBeNull();
    expect(names(judge('a', 2000))).toBe('a');
  });

  it('not below min-nodes, nor the last one, nor more than may be at once', () => {
    const why = (verdict: Verdict | null): string => (verdict?.kind === 'refuse' ? verdict.why : '');
    expect(why(judgedAfter(1000, sight(ring('ab'), 'a'), { minNodes: 2 }))).toBe(
      'a is down, and is not ejected: the ring would have 1 serving node, and min-nodes is 2',
    );
    expect(names(judgedAfter(1000, sight(ring('a'), 'a')))).toBe('');
    expect(why(judgedAfter(1000, sight(ring('abcd'), 'ab')))).toMatch(
      /^down: a, b; that is more than eject-max-nodes \(1\)/,
    );
    expect(why(judgedAfter(1000, sight(ring('bcd', [ejected('a')]), 'ab')))).toMatch(/^down: b, a ejected already; /);
  });

  it('together with others, where several may be', () => {
    const judgement = new Judgement();
    const settings = { ...SETTINGS, ejectMaxNodes: 2 };
    judgement.judge(sight(ring('abcd'), 'a'), settings, 0);
    judgement.judge(sight(ring('abcd'), 'ab'), settings, 900);
    // The other one would get its keys, and is down.
    expect(judgement.judge(sight(ring('abcd'), 'ab'), settings, 1000)).toBeNull();
    expect(names(judgement.judge(sight(ring('abcd'), 'ab'), settings, 1900))).toBe('ab');
  });
});

describe('a node comes back', () => {
  it.each([
    [1, 100],
    [2, 200],
    [3, 350],
    [9, 350],
  ])('that has failed %i times when it has answered for %i ms', (times, time) => {
    const state = ring('bc', [ejected('a', times)]);
    expect(judgedAfter(time - 1, sight(state, ''))).toBeNull();
    expect(judgedAfter(time, sight(state, ''))).toMatchObject({ kind: 'return', node: { name: 'a' } });
  });

  it('not when it does not answer here, nor most others, nor after it was gone in between', () => {
    const state = ring('bc', [ejected('a')]);
    expect(judgedAfter(1000, sight(state, 'a'))).toBeNull();
    expect(judgedAfter(1000, sight(state, '', 'a', 'a'))).toBeNull();
    const judgement = new Judgement();
    judgement.judge(sight(state, ''), SETTINGS, 0);
    judgement.judge(sight(state, 'a'), SETTINGS, 90);
    judgement.judge(sight(state, ''), SETTINGS, 100);
    expect(judgement.judge(sight(state, ''), SETTINGS, 199)).toBeNull();
    expect(judgement.judge(sight(state, ''), SETTINGS, 200)?.kind).toBe('return');
  });

  describe('while it does, and keys move', () => {
    /** `a` comes back to these. */
    const coming = (names: string, more: Partial<RunningChange> = {}): RingState => {
      const state = ring(names, [ejected('a')]);
      const members = [...state.members, ALL[0] as Member];
      const change = { id: '1', kind: 'return', phase: 'moving', summary: '', startedAt: '', processes: [] } as const;
      return { ...state, change: { ...change, members, undrained: [], ...more } };
    };

    it('is given up when it is down again for as long as others are', () => {
      expect(judgedAfter(999, sight(coming('bc'), 'a'))).toBeNull();
      expect(judgedAfter(1000, sight(coming('bc'), 'a'))).toMatchObject({ kind: 'abandon', node: { name: 'a' } });
      expect(judgedAfter(1000, sight(coming('bc'), 'a', '', ''))).toBeNull();
      expect(judgedAfter(1000, sight(coming('bc', { phase: 'turning' }), 'a'))).toBeNull();
    });

    it('others that fail are given up, by the bounds of an ejection, once', () => {
      expect(judgedAfter(1000, sight(coming('bcd'), 'b'))).toMatchObject({ kind: 'give up', nodes: [{ name: 'b' }] });
      expect(judgedAfter(1000, sight(coming('bcd', { undrained: ['b'] }), 'b'))).toBeNull();
      expect(judgedAfter(1000, sight(coming('bcd'), 'b'), { minNodes: 3 })).toMatchObject({ kind: 'refuse' });
    });

    it('is given up when somebody has cancelled its return, and it is down again before it has handed all back', () => {
      const back = (more: Partial<RunningChange> = {}): RingState => {
        const { members, change, ...state } = coming('bc');
        if (change === null) throw new Error('it comes back');
        return { ...state, members: change.members, change: { ...change, kind: 'cancel', members, ...more } };
      };
      expect(judgedAfter(999, sight(back(), 'a'))).toBeNull();
      expect(judgedAfter(1000, sight(back(), 'a'))).toMatchObject({ kind: 'give up', nodes: [{ name: 'a' }] });
      expect(judgedAfter(1000, sight(back({ phase: 'turning' }), 'a'))?.kind).not.toBe('give up');
      expect(judgedAfter(1000, sight(back({ undrained: ['a'] }), 'a'))?.kind).not.toBe('give up');
    });
  });
});
