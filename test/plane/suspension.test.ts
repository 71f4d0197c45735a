/**
 * A proxy that its fleet has passed over may not speak to nodes: by the time that it finds out, keys may be where it does
 * not look for them. All its connections end at once, and it begins anew, by another name and by the ring of now.
 */
import { describe, expect, it } from 'vitest';
import { startGatedRelay } from '../support/gated-relay.js';
import type { RawClient } from '../support/raw-client.js';
import { type PlaneStage, snapshotOf, stagePlane } from './stage.js';

const WHY = 'this proxy was passed over by its fleet, and registers anew';
const TRY_AGAIN = /^-TRYAGAIN node node1 \(\S+\) is not spoken to: this proxy was passed over .*; try again\r\n$/;
const UNKNOWN = /^-NODEDOWN node node1 \(\S+\) is not spoken to: .*; the outcome of the command is unknown\r\n$/;

/** Names of the proxy's connections that the node has. */
async function names({ redis }: PlaneStage): Promise<string[]> {
  const list = String(await redis.client().client('LIST'));
  return [...list.matchAll(/ name=(ringproxy\S*)/g)].map((match) => match[1] ?? '');
}

const digest = async ({ redis }: PlaneStage, body: string): Promise<string> =>
  String(await redis.client().script('LOAD', body));

/** From here on nothing is under way. */
async function suspended(stage: PlaneStage): Promise<number> {
  stage.plane.suspend(WHY);
  await expect.poll(() => names(stage)).toEqual([]);
  return stage.net.requests.length;
}

function resume({ plane, net }: PlaneStage, id = 'beef'): void {
  plane.resume(id);
  plane.publish(snapshotOf(net.address, 2));
}

describe.each([
  ['one process', 1],
  ['two workers', 2],
] as const)('a proxy that was passed over (%s)', (_title, workers) => {
  const start = (settings = {}): Promise<PlaneStage> => stagePlane(settings, workers);
  // Clients go to workers by turns.
  const clients = async ({ client }: PlaneStage): Promise<RawClient[]> => {
    const all = [];
    for (let i = 0; i < workers; i++) all.push(await client());
    return all;
  };

  it('sends nothing until it has a new name and a new ring, and then bears the new name', async () => {
    const stage = await start();
    const all = await clients(stage);
    for (const client of all) await client.command('SET', 'k', 'before');
    const sent = await suspended(stage);
    for (const client of all) {
      expect(await client.text('SET', 'k', 'in between')).toMatch(TRY_AGAIN);
      expect(await client.text('MGET', 'k', 'l')).toMatch(TRY_AGAIN);
      expect(await client.text('DBSIZE')).toMatch(/^-TRYAGAIN /);
      expect(await client.text('PING')).toBe('+PONG\r\n');
    }
    stage.plane.resume('beef');
    // The ring that is at hand may be one of the past.
    for (const client of all) expect(await client.text('SET', 'k', 'still')).toMatch(TRY_AGAIN);
    expect(stage.net.requests).toHaveLength(sent);
    stage.plane.publish(snapshotOf(stage.net.address, 2));
    for (const client of all) {
      await expect.poll(() => client.text('GET', 'k')).toBe('$6\r\nbefore\r\n');
    }
    expect(new Set(await names(stage))).toEqual(
      new Set(workers === 1 ? ['ringproxy:beef'] : ['ringproxy:beef.1', 'ringproxy:beef.2']),
    );
  });

  it('answers what was in flight that its outcome is unknown, and runs none of it late', async () => {
    const stage = await start();
    const client = await stage.client();
    await client.command('SET', 'k', 'first');
    const relay = await startGatedRelay(stage.redis.port);
    stage.plane.publish(snapshotOf(relay.address, 2));
    await client.command('SET', 'k', 'second');
    relay.keep();
    const reply = client.text('SET', 'k', 'late');
    await expect.poll(() => relay.kept).toBeGreaterThan(0);
    stage.plane.suspend(WHY);
    expect(await reply).toMatch(UNKNOWN);
    stage.plane.resume('beef');
    stage.plane.publish(snapshotOf(relay.address, 3));
    await expect.poll(() => client.text('SET', 'k', 'acknowledged')).toBe('+OK\r\n');
    await relay.release();
    expect(await stage.redis.client().get('k')).toBe('acknowledged');
  });

  it('keeps its clients: subscriptions come back, caches are emptied, WATCHes fail, scripts are there', async () => {
    const stage = await start();
    // The network of the stage knows nothing of what a node says unasked.
    const { redis, plane } = stage;
    plane.publish(snapshotOf(redis.address, 2));
    const [subscriber, tracker, watcher, waiter, scripts] = await Promise.all(
      Array.from({ length: 5 }, () => stage.client()),
    );
    if (!subscriber || !tracker || !watcher || !waiter || !scripts) throw new Error('unreachable');
    await subscriber.command('SUBSCRIBE', 'news');
    await tracker.command('HELLO', '3');
    await tracker.command('CLIENT', 'TRACKING', 'ON');
    await tracker.command('GET', 'k');
    await watcher.command('WATCH', 'k');
    const sha = await digest(stage, 'return 7');
    expect(await scripts.text('EVAL', 'return 7', '0')).toBe(':7\r\n');
    const waiting = waiter.text('BLPOP', 'list', '0');
    await expect.poll(() => redis.client().client('LIST')).toMatch(/ flags=b .* cmd=blpop /);
    const told = tracker.replies(1);
    await suspended(stage);
    expect(await waiting).toMatch(UNKNOWN);
    expect(String(await told)).toBe('>2\r\n$10\r\ninvalidate\r\n_\r\n');
    await redis.client().set('k', 'changed by another proxy');
    await redis.client().script('FLUSH');
    plane.resume('beef');
    plane.publish(snapshotOf(redis.address, 3));
    await expect.poll(() => scripts.text('EVALSHA', sha, '0')).toBe(':7\r\n');
    await watcher.command('MULTI');
    await watcher.command('SET', 'k', 'by a stale look');
    expect(await watcher.text('EXEC')).toMatch(/^(?:\*-1|_|-)/);
    expect(await redis.client().get('k')).toBe('changed by another proxy');
    const heard = subscriber.replies(1);
    await expect.poll(async () => Number(await redis.client().publish('news', 'it goes on'))).toBeGreaterThan(0);
    expect(String(await heard)).toContain('it goes on');
    expect(await waiter.text('RPUSH', 'list', 'v')).toBe(':1\r\n');
    expect(await waiter.text('BLPOP', 'list', '0')).toContain('list');
  });

  it('under load answers every command, and acknowledges none that was not carried out', async () => {
    const stage = await start();
    let isOver = false;
    let refused = 0;
    const lost: string[] = [];
    const load = Array.from({ length: 8 }, async (_, i) => {
      const client = await stage.client();
      for (let n = 1; !isOver; n++) {
        const [set, get] = await client.pipeline([
          ['SET', `k${i}`, String(n)],
          ['GET', `k${i}`],
        ]);
        if (String(set) !== '+OK\r\n') refused++;
        else if (String(get).startsWith('$') && !String(get).endsWith(`\r\n${n}\r\n`)) lost.push(`k${i} ${n} ${get}`);
      }
    });
    for (let round = 0; round < 3; round++) {
      await expect.poll(() => stage.redis.client().dbsize()).toBe(8);
      const sent = await suspended(stage);
      const before = refused;
      await expect.poll(() => refused).toBeGreaterThan(before + 8);
      expect(stage.net.requests).toHaveLength(sent);
      await stage.redis.client().flushall();
      resume(stage, `beef${round}`);
    }
    await expect.poll(() => stage.redis.client().dbsize()).toBe(8);
    isOver = true;
    await Promise.all(load);
    expect(lost).toEqual([]);
  });
});

it('a command that waits for leave to be sent is told to try again, and so is who comes meanwhile for a node that joins', async () => {
  const stage = await stagePlane();
  stage.standing.lapse();
  const client = await stage.client();
  const reply = client.text('GET', 'k');
  await expect.poll(() => stage.standing.asked).toHaveLength(1);
  stage.plane.suspend(WHY);
  expect(await reply).toMatch(TRY_AGAIN);
  const other = await stagePlane();
  stage.plane.publish(snapshotOf(other.net.address, 2));
  expect(await client.text('GET', 'k')).toMatch(TRY_AGAIN);
  expect(other.net.requests).toEqual([]);
  // What was asked before has come to its end.
  stage.standing.answer('speak');
  resume(stage);
  expect(await client.text('SET', 'k', 'v')).toBe('+OK\r\n');
});

it('a worker that starts meanwhile sends nothing, and goes on with the others', async () => {
  const stage = await stagePlane({}, 2);
  await suspended(stage);
  const [victim] = stage.plane.workers;
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  await expect.poll(() => stage.plane.workers.some(({ pid }) => pid === victim?.pid)).toBe(false);
  await expect.poll(() => stage.plane.workers).toHaveLength(2);
  const sent = stage.net.requests.length;
  const all = await Promise.all(Array.from({ length: 4 }, () => stage.client()));
  for (const client of all) expect(await client.text('GET', 'k')).toMatch(TRY_AGAIN);
  stage.plane.resume('beef');
  for (const client of all) expect(await client.text('GET', 'k')).toMatch(TRY_AGAIN);
  expect(stage.net.requests).toHaveLength(sent);
  stage.plane.publish(snapshotOf(stage.net.address, 2));
  for (const client of all) await expect.poll(() => client.text('SET', 'k', 'v')).toBe('+OK\r\n');
});
