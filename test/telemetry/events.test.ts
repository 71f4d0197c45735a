/** The events of a real proxy, as a file that is loaded with `--import` hears them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildCommandTable } from '../../src/commands/build.js';
import { CommandObserver } from '../../src/proxy/measure/command-observer.js';
import { EVENT_CHANNELS, onEvents } from '../../src/telemetry/subscribers.js';
import { RawClient } from '../support/raw-client.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { add, fill, post, settled } from '../support/ring-api.js';
import { type RingproxyOptions, type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { ROOT } from '../support/root.js';
import { tempFolder } from '../support/temp-folder.js';

type Event = Record<string, unknown>;

const PAGE = readFileSync(join(ROOT, 'src/docs/events.md'), 'utf8');

/** Says every event of every channel on standard error. */
const RECORDER = `
import { subscribe } from 'node:diagnostics_channel';
for (const name of ${JSON.stringify(Object.keys(EVENT_CHANNELS))}) {
  subscribe(name, (event) => process.stderr.write('EVENT ' + JSON.stringify({ name, ...event }) + '\\n'));
}`;

function startWith(code: string, options: RingproxyOptions): Promise<RingproxyProcess> {
  const file = join(tempFolder('preload'), 'watch.mjs');
  writeFileSync(file, code);
  return startRingproxy({ ...options, env: { NODE_OPTIONS: `--import file://${file}` } });
}

function eventsOf(proxy: RingproxyProcess, name: string): Event[] {
  return proxy.child.stderr
    .filter((line) => line.startsWith('EVENT '))
    .map((line) => JSON.parse(line.slice('EVENT '.length)) as Event)
    .filter((event) => event.name === `ringproxy:${name}`);
}

describe('the page on events', () => {
  it('names every channel, and says which are frequent', () => {
    const table = PAGE.slice(PAGE.indexOf('<!-- events:start -->'), PAGE.indexOf('<!-- events:end -->'));
    const rows = [...table.matchAll(/^\| `(ringproxy:[^`]+)` \| (\*frequent\*)?/gm)];
    expect(Object.fromEntries(rows.map(([, name, frequent]) => [name, frequent !== undefined]))).toEqual(
      Object.fromEntries(Object.entries(EVENT_CHANNELS).map(([name, { frequent }]) => [name, frequent])),
    );
  });

  it('shows a handler that works', async () => {
    const example = PAGE.slice(PAGE.indexOf('<!-- events-example -->'));
    const code = /```js\n(.*?)```/s.exec(example)?.[1] ?? '';
    const nodes = await startRedises(2);
    const spare = await startRedis();
    const proxy = await startWith(code, { nodes, allowLog: [/^client \d+: incr: |^slow: |^add node\S* is done/] });
    const client = await RawClient.connect(proxy.port);
    await client.command('SET', 'word', 'one');
    await client.command('INCR', 'word');
    await proxy.child.line((line) => (/^client \d+: incr: ERR value is not an integer/.test(line) ? true : null));
    await post(proxy, 'changes', add('node3', spare));
    await proxy.child.line((line) => (/^add \S+ is done: \d+ keys? moved/.test(line) ? true : null));
  });
});

describe('events of a real proxy', () => {
  it('tell of each command, of errors, and of who came and went', async () => {
    const proxy = await startWith(RECORDER, { nodes: await startRedises(2), allowLog: [/^EVENT /] });
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 20; i++) await client.command('SET', `k${i}`, 'v');
    await client.command('MGET', 'k1', 'k2', 'k3');
    await client.command('CONFIG', 'GET', 'nope', 'x', 'y');
    await client.command('INCR', 'k1');
    await client.command('RENAME', 'k1', 'k2');
    client.close();
    await proxy.child.line((line) => (line.includes('client:closed') ? true : null));
    const count = (command: string): number =>
      eventsOf(proxy, 'command:answered').filter((event) => event.command === command).length;
    expect([count('set'), count('mget'), count('incr')]).toEqual([20, 1, 1]);
    const [set] = eventsOf(proxy, 'command:answered');
    expect(set).toMatchObject({ command: 'set', seconds: expect.any(Number), failed: false });
    expect(set?.seconds).toBeGreaterThan(0);
    const failed = eventsOf(proxy, 'command:failed');
    expect(failed.find(({ command }) => command === 'incr')).toMatchObject({
      error: 'ERR value is not an integer or out of range',
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
    expect(eventsOf(proxy, 'command:answered').filter((event) => event.failed === true)).toHaveLength(failed.length);
    expect(eventsOf(proxy, 'client:connected')).toHaveLength(1);
    expect(eventsOf(proxy, 'client:closed')).toMatchObject([{ reason: '' }]);
  });

  it('tell of a change of the ring from its beginning to its end, with every key', async () => {
    const nodes = await startRedises(2);
    const spare = await startRedis();
    const proxy = await startWith(RECORDER, { nodes, allowLog: [/^EVENT /] });
    await fill(proxy, 5000);
    const client = await RawClient.connect(proxy.port);
    await post(proxy, 'changes', add('node3', spare));
    // Most keys are still where they were when they are written; such a write waits for its key.
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 500 });
    for (let i = 4999; i > 4900; i--) await client.command('APPEND', `filler:${i}`, '!');
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 });
    await settled(proxy);
    await proxy.child.line((line) => (line.includes('ringproxy:ring:finished') ? true : null));
    expect(eventsOf(proxy, 'ring:begun')).toMatchObject([{ kind: 'add', phase: 'preparing', generation: 1 }]);
    expect(eventsOf(proxy, 'ring:phase').map((event) => event.phase)).toEqual(['preparing', 'moving']);
    const { change } = eventsOf(proxy, 'ring:begun')[0] ?? {};
    expect(eventsOf(proxy, 'fence:raised')).toMatchObject([{ change, purpose: 'move', seconds: 0 }]);
    expect(eventsOf(proxy, 'fence:passed')).toMatchObject([{ change, seconds: expect.any(Number), waitedFor: [] }]);
    const [finished] = eventsOf(proxy, 'ring:finished');
    const moved = eventsOf(proxy, 'keys:moved');
    const sum = moved.reduce((total, event) => total + Number(event.keys), 0);
    expect(finished).toMatchObject({ kind: 'add', phase: 'stable', generation: 2, keysMoved: sum });
    expect(sum).toBe(await spare.client().dbsize());
    expect(new Set(moved.map((event) => event.target))).toEqual(new Set(['node3']));
    const held = eventsOf(proxy, 'command:held').filter((event) => event.command === 'append');
    expect(held.length).toBeGreaterThan(0);
    for (const event of held) expect(event).toMatchObject({ outcome: 'ran', reason: 'settle' });
  });

  it('are heard in each of several workers', async () => {
    const nodes = await startRedises(2);
    const proxy = await startWith(RECORDER, { nodes, args: ['--workers', '2'], allowLog: [/^EVENT /] });
    const clients = await Promise.all([RawClient.connect(proxy.port), RawClient.connect(proxy.port)]);
    for (const client of clients) await client.command('SET', 'k', 'v');
    // Whichever worker serves them, each command is told once.
    await expect
      .poll(() => eventsOf(proxy, 'command:answered').filter(({ command }) => command === 'set').length)
      .toBe(2);
  });

  it('tell of a node that goes and comes back', async () => {
    const nodes = await startRedises(2);
    const proxy = await startWith(RECORDER, { nodes, allowLog: [/^EVENT /, /upstream:down/] });
    const told = (name: string): Promise<boolean> =>
      proxy.child.line((line) => (line.includes(`"name":"ringproxy:${name}"`) ? true : null));
    // One that is back before the proxy has tried to reach it was never down.
    await nodes[0]?.stop();
    await told('upstream:down');
    await nodes[0]?.start();
    await told('upstream:up');
    expect(eventsOf(proxy, 'upstream:down')).toMatchObject([{ node: 'node1', error: expect.stringMatching(/./) }]);
  });
});

describe('commands', () => {
  it('are told of only while somebody listens', () => {
    const table = buildCommandTable();
    const observer = new CommandObserver(() => table);
    expect(observer.wanted).toBeNull();
    const seen: object[] = [];
    const end = onEvents((_channel, event) => seen.push(event), ['ringproxy:command:answered']);
    expect(observer.wanted).toBe(observer);
    observer.answered(table.get('get')?.id ?? -1, 2, false);
    observer.answered(0, 0, true);
    end();
    expect(observer.wanted).toBeNull();
    expect(seen).toEqual([
      { command: 'get', seconds: 0.002, failed: false },
      { command: 'unknown', seconds: 0, failed: true },
    ]);
  });
});
