/**
 * Nodes that lose nothing when they are killed (append-only, synced at each write) are killed and started again all the
 * time, while the ring changes and changes are turned round. So whatever is lost or comes back, the proxy has lost or
 * brought back: every acknowledged write of every key is known and looked at.
 */
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { post, ringOf } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const KEYS = 1500;
const WRITERS = 6;
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-percentage', '0'];
const EXPECTED = [
  ...[/upstream:(?:down|up|impaired)/, /node:health/, /the change is paused/, /waits/, /were dropped/, /does not own/],
  ...[/fence/, /functions could not be checked/, /was restarted/, /cancel/],
];
const SETTINGS = 'probe-interval: 100ms\nprobe-timeout: 2s\nreconnect-backoff-max: 200ms\n';

/** What a key may be: null is no key. More than one value after a write whose outcome is unknown. */
class Expected {
  readonly values = new Map<string, Set<string | null>>();

  sent(key: string, value: string | null): void {
    this.#of(key).add(value);
  }

  acknowledged(key: string, value: string | null): void {
    this.values.set(key, new Set([value]));
  }

  allows(key: string, value: string | null): boolean {
    return this.#of(key).has(value);
  }

  #of(key: string): Set<string | null> {
    const known = this.values.get(key) ?? new Set([null]);
    this.values.set(key, known);
    return known;
  }
}

/** A repeatable source of chance (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

async function write(
  proxy: RingproxyProcess,
  number: number,
  expected: Expected,
  violations: string[],
  goesOn: () => boolean,
): Promise<number> {
  const random = chance(number);
  let acknowledged = 0;
  const client = await RawClient.connect(proxy.port);
  for (let n = 0; goesOn(); n++) {
    // Each key has one writer, so the order of its writes is known.
    const key = `key:${Math.floor(random() * (KEYS / WRITERS)) * WRITERS + number}`;
    const what = random();
    const value = what < 0.5 ? `${number}:${n}` : null;
    const reply =
      what < 0.7
        ? await client.text(...((value === null ? ['DEL', key] : ['SET', key, value]) as [string, ...string[]]))
        : await client.text('GET', key);
    if (reply.startsWith('-')) {
      if (what < 0.7) expected.sent(key, value);
      continue;
    }
    acknowledged++;
    if (what < 0.7) expected.acknowledged(key, value);
    else {
      const found = reply.startsWith('$-1') ? null : (reply.split('\r\n')[1] ?? '');
      if (!expected.allows(key, found)) violations.push(`GET ${key}: ${found}, not ${describe(expected, key)}`);
    }
  }
  client.close();
  return acknowledged;
}

function describe(expected: Expected, key: string): string {
  return [...(expected.values.get(key) ?? [])].join(' or ');
}

async function change(proxy: RingproxyProcess, nodes: readonly RedisProcess[], random: () => number): Promise<void> {
  const { nodes: members, change: running } = await ringOf(proxy);
  if (running !== null) {
    if (running.paused) await post(proxy, 'changes/current/resume');
    else if (random() < 0.15) await post(proxy, 'changes/current/cancel');
    else await post(proxy, 'changes/current/throttle', { keysPerSecond: [0, 100, 1000][Math.floor(random() * 3)] });
    return;
  }
  const names = members.map((node) => node.name);
  const joining = nodes.filter((node) => !members.some((member) => member.address === node.address));
  const [node] = joining;
  const pick = names[Math.floor(random() * names.length)] as string;
  if (node !== undefined && random() < 0.5) {
    const add = [{ name: `n${node.port}`, address: node.address }];
    await post(proxy, 'changes', { kind: 'add', add, flush: true, throttle: 300 });
  } else if (names.length > 2 && random() < 0.5) {
    await post(proxy, 'changes', { kind: 'remove', remove: [pick], throttle: 300 });
  } else {
    const weight = 1 + Math.floor(random() * 5);
    await post(proxy, 'changes', { kind: 'reweight', weights: [{ name: pick, weight }], throttle: 300 });
  }
}

it.each([
  [1, 1],
  [2, 2],
])(
  'nodes that are killed and come back while the ring changes lose nothing (seed %i, %i workers)',
  async (seed, workers) => {
    const random = chance(seed);
    const nodes = await startRedises(4, { args: DURABLE });
    const proxy = await startRingproxy({
      nodes: nodes.slice(0, 3),
      config: SETTINGS,
      args: ['--state-dir', tempFolder('state'), '--workers', String(workers)],
      allowLog: EXPECTED,
    });
    const expected = new Expected();
    const violations: string[] = [];
    const deadline = performance.now() + 12_000;
    const goesOn = (): boolean => performance.now() < deadline;
    const writers = Array.from({ length: WRITERS }, (_, i) => write(proxy, i, expected, violations, goesOn));
    let [kills, changes] = [0, 0];
    while (goesOn()) {
      const asked = change(proxy, nodes, random).then(
        () => changes++,
        () => {},
      );
      // No event: nodes are restarted at any moment of a change, also while one that was asked for is waited for.
      await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 1000))]);
      await new Promise((resolve) => setTimeout(resolve, 100 + random() * 300));
      if (random() < 0.4) {
        await nodes[Math.floor(random() * nodes.length)]?.restart();
        kills++;
      }
    }
    const counts = await Promise.all(writers);
    expect(kills).toBeGreaterThan(3);
    expect(changes).toBeGreaterThan(3);
    for (;;) {
      const { change: running } = await ringOf(proxy);
      if (running === null) break;
      const steer = running.paused ? 'resume' : 'throttle';
      await post(proxy, `changes/current/${steer}`, steer === 'throttle' ? { keysPerSecond: 0 } : {}).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const client = await RawClient.connect(proxy.port);
    // The process that has this client may not have noticed yet that the node which was killed last is back.
    await expect.poll(() => client.text('DBSIZE')).toMatch(/^:/);
    for (const [key] of expected.values) {
      const reply = await client.text('GET', key);
      const found = reply.startsWith('$-1') ? null : (reply.split('\r\n')[1] ?? '');
      if (reply.startsWith('-') || !expected.allows(key, found)) {
        violations.push(`${key} is ${reply.trim()}, not ${describe(expected, key)}`);
      }
    }
    expect(violations).toEqual([]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(200);
  },
  120_000,
);
