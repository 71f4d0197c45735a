import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type AskForScript, KnownScripts } from '../../../../src/fleet/soft-state/documents/known-scripts.js';
import { NodeOpinions } from '../../../../src/fleet/soft-state/documents/node-opinions.js';
import { ProxyNewsBoard } from '../../../../src/fleet/soft-state/documents/proxy-news.js';
import { SubscriberCounts } from '../../../../src/fleet/soft-state/documents/subscriber-counts.js';
import { SoftState } from '../../../../src/fleet/soft-state/soft-state.js';
import { clientsElsewhere, subscribedElsewhere } from '../../../../src/proxy/features/pubsub/other-counts.js';
import { ManualTimers } from '../../../support/manual-timers.js';

/** Two members that hear of each other within a second. */
function pair<Document>(make: (state: SoftState, timers: ManualTimers, index: number) => Document) {
  const timers = new ManualTimers();
  const states: SoftState[] = [];
  const documents = ['a', 'b'].map((own, index) => {
    const state = new SoftState({
      own,
      timers,
      wallNow: () => 1_700_000_000_000 + timers.now(),
      random: () => 0.5,
      peers: { ask: async (to, body) => states[to === 'a' ? 0 : 1]?.answer(body) ?? null },
    });
    states.push(state);
    return make(state, timers, index);
  });
  for (const state of states) {
    state.setMembers(['a', 'b']);
    state.start();
  }
  const [a, b] = documents;
  if (a === undefined || b === undefined) throw new Error('there are two');
  const heard = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) {
      timers.advance(200);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { a, b, heard, timers, setMembers: (ids: string[]) => states[0]?.setMembers(ids) };
}

describe('counts of subscribers', () => {
  it('are told where a proxy has more clients than connections, and taken back', async () => {
    const { a, b, heard } = pair((state) => new SubscriberCounts(state));
    expect(a.isEmpty).toBe(true);
    b.tell([
      { kind: 0, key: 'news', clients: 5, connections: 1 },
      { kind: 0, key: 'alone', clients: 1, connections: 1 },
      { kind: 1, key: 'n*', clients: 3, connections: 2 },
      { kind: 2, key: 'news', clients: 7, connections: 2 },
    ]);
    await heard();
    expect(a.isEmpty).toBe(false);
    expect(a.subscribed(0, 'news')).toEqual({ clients: 5, connections: 1 });
    expect(a.subscribed(2, 'news')).toEqual({ clients: 7, connections: 2 });
    expect(a.subscribed(0, 'alone')).toEqual({ clients: 0, connections: 0 });
    expect(subscribedElsewhere(a, { kind: 0, key: 'news', withPatterns: true })).toEqual({
      clients: 8,
      connections: 3,
    });
    expect(b.isEmpty).toBe(true);
    b.tell([
      { kind: 0, key: 'news', clients: 0, connections: 0 },
      { kind: 1, key: 'n*', clients: 0, connections: 0 },
      { kind: 2, key: 'news', clients: 1, connections: 1 },
    ]);
    await heard();
    expect(a.isEmpty).toBe(true);
    expect([...a.patterns]).toEqual([]);
  });

  it('are bounded: what is beyond is left out, until there is room', async () => {
    const { a, b, heard } = pair((state) => new SubscriberCounts(state));
    const many = Array.from({ length: 100_000 }, (_, i) => ({
      kind: 0 as const,
      key: `c${i}`,
      clients: 2,
      connections: 1,
    }));
    b.tell(many);
    b.tell([{ kind: 0, key: 'x'.repeat(201), clients: 2, connections: 1 }]);
    expect(b.leftOut).toBe(100_000 - 8192 + 1);
    await heard();
    const told = (): number => many.filter(({ key }) => a.subscribed(0, key).clients > 0).length;
    expect(told()).toBe(8192);
    b.tell([{ kind: 0, key: 'c0', clients: 1, connections: 1 }]);
    b.tell([{ kind: 0, key: 'late', clients: 2, connections: 1 }]);
    await heard();
    expect(a.subscribed(0, 'late').clients).toBe(2);
  });

  it('of others are no more than a node counts connections of them', () => {
    expect(clientsElsewhere(1, { clients: 5, connections: 1 })).toBe(5);
    expect(clientsElsewhere(3, { clients: 5, connections: 1 })).toBe(7);
    expect(clientsElsewhere(0, { clients: 5, connections: 1 })).toBe(0);
    expect(clientsElsewhere(1, { clients: 10, connections: 2 })).toBe(5);
    expect(clientsElsewhere(2, { clients: 0, connections: 0 })).toBe(2);
  });
});

describe('scripts', () => {
  const body = Buffer.from('return 1');
  const digest = createHash('sha1').update(body).digest('hex');
  const found = (scripts: KnownScripts, wanted: string): Promise<Buffer | null> =>
    new Promise((resolve) => scripts.ask(wanted, resolve));

  function scripts(answer: Buffer | null = body) {
    const asked: string[] = [];
    const flushed: string[][] = [[], []];
    const ask: AskForScript = async (proxy) => {
      asked.push(proxy);
      return answer;
    };
    const stage = pair((state, timers, index) => {
      const known = new KnownScripts(state, timers, ask);
      known.serve({ body: () => body, flush: (kept) => flushed[index]?.push(...kept, '|') });
      return known;
    });
    return { ...stage, asked, flushed };
  }

  it('are asked for from a proxy that has told of them, and from nobody otherwise', async () => {
    const { a, b, heard, asked } = scripts();
    expect(await found(a, digest)).toBeNull();
    b.learned(body);
    await heard();
    expect(await found(a, digest)).toEqual(body);
    expect(asked).toEqual(['b']);
    expect(b.answer(Buffer.from(digest))).toEqual(body);
    for (const question of [null, 7, Buffer.from('x'), Buffer.alloc(1000, 'a')])
      expect(b.answer(question)).toHaveLength(0);
  });

  it('are taken only with the digest that was asked for', async () => {
    const { a, b, heard } = scripts(Buffer.from('return 2'));
    b.learned(body);
    await heard();
    expect(await found(a, digest)).toBeNull();
  });

  it('are forgotten when another proxy has flushed them, but for those that came later', async () => {
    const { a, b, heard, flushed, timers } = scripts();
    const later = Buffer.from('return 3');
    a.learned(body);
    timers.advance(10);
    b.flushed();
    timers.advance(10);
    a.learned(later);
    await heard();
    expect(flushed[0]).toEqual([createHash('sha1').update(later).digest('hex'), '|']);
    expect(flushed[1]).toEqual([]);
    expect(await found(b, digest)).toBeNull();
  });

  it('are bounded, in all and in a second', async () => {
    const { a, b, heard, timers, asked } = scripts();
    for (let i = 0; i < 1200; i++) {
      if (i % 50 === 0) timers.advance(1000);
      b.learned(Buffer.from(`return ${i}`));
    }
    for (let i = 0; i < 200; i++) b.learned(Buffer.from(`at once ${i}`));
    await heard();
    const isKnown = async (text: string): Promise<boolean> => {
      const before = asked.length;
      await found(a, createHash('sha1').update(text).digest('hex'));
      return asked.length > before;
    };
    expect(await isKnown('return 1199')).toBe(true);
    expect(await isKnown('return 0')).toBe(false);
    expect(await isKnown('at once 199')).toBe(false);
  });
});

it('opinions on nodes are told, changed and taken back, and go with their proxy', async () => {
  const { a, b, heard, setMembers } = pair((state) => new NodeOpinions(state));
  const node = { name: 'node1', address: '127.0.0.1:1' };
  b.tell([{ ...node, since: '2026-01-01T00:00:00Z', why: 'x'.repeat(1000) }]);
  await heard();
  expect(a.of(node)).toEqual([{ proxy: 'b', since: '2026-01-01T00:00:00Z', why: 'x'.repeat(300) }]);
  b.tell([]);
  await heard();
  expect(a.of(node)).toEqual([]);
  b.tell([{ ...node, since: '2026-01-02T00:00:00Z', why: 'gone' }]);
  await heard();
  expect(a.of(node)).toHaveLength(1);
  setMembers(['a']);
  expect(a.of(node)).toEqual([]);
});

it('news of a proxy are told when they change, and as a sign of life', async () => {
  const load = { at: '', clients: 1, commandsPerSecond: 2, errorsPerSecond: 0, hitsPerSecond: 1 };
  const rest = { missesPerSecond: 1, p99: null, cores: 0.5, residentMemory: 1e6 };
  let clients = 1;
  let asked = 0;
  const { a, b, heard } = pair((state, timers) => {
    const board = new ProxyNewsBoard(state, timers, () => {
      asked++;
      return { generation: 3, phase: 'moving', load: { ...load, ...rest, clients, at: String(asked) } };
    });
    board.start();
    return board;
  });
  await heard();
  const first = a.of('b');
  expect(first).toMatchObject({ generation: 3, phase: 'moving', load: { clients: 1, p99: null } });
  for (let i = 0; i < 4; i++) await heard();
  expect(a.of('b')).toEqual(first);
  clients = 2;
  for (let i = 0; i < 3; i++) await heard();
  expect(a.of('b')?.load?.clients).toBe(2);
  expect(b.of('nobody')).toBeNull();
});
