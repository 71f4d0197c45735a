/** Two processes of one proxy that miss a key at once: one of them has the filler, also where answers are late. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildCommandTable } from '../../../../src/commands/build.js';
import { loadConfig } from '../../../../src/config/load.js';
import { SHARDED } from '../../../../src/proxy/caching/policy.js';
import { DataPlane } from '../../../../src/proxy/data-plane.js';
import { Fill } from '../../../../src/proxy/features/fill/fill.js';
import { FillsElsewhere } from '../../../../src/proxy/features/fill/fills-elsewhere.js';
import type { PeerAnswer, PeerQuestion, Peers } from '../../../../src/proxy/peers/peers.js';
import { pickDataPlaneSettings } from '../../../../src/proxy/settings.js';
import { snapshotOf } from '../../../plane/stage.js';
import { atEnd } from '../../../support/cleanup.js';
import { FakeStanding } from '../../../support/fake-standing.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis } from '../../../support/redis-process.js';

const NIL = '$-1\r\n';
const VALUE = '$1\r\nv\r\n';

type Answer = readonly (PeerAnswer | null)[];

/** The other process: it answers when the test says so. */
class OtherProcess implements Peers {
  #answer: (answer: Answer) => void = () => {};
  #onAsked: () => void = () => {};

  ask(question: PeerQuestion): Promise<Answer> {
    if (question.type !== 'filled') return Promise.resolve([]);
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#onAsked();
    });
  }

  tell(): void {}

  /** It is asked. */
  asked(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAsked = resolve;
    });
  }

  answers(found: 'no' | 'written'): void {
    this.#answer([{ filled: [found] }]);
  }
}

let redis: RedisProcess;
let past: RawClient;
let plane: DataPlane;
let other: OtherProcess;
let reader: RawClient;
let writer: RawClient;
let key = '';
let next = 0;

beforeAll(async () => {
  redis = await startRedis();
  past = await RawClient.connect(redis.port);
  other = new OtherProcess();
  const address = `127.0.0.1:${redis.port}`;
  const policy = { ...SHARDED, fillWait: 20_000 };
  const settings = pickDataPlaneSettings(loadConfig({ flags: { nodes: [`node1=${address}`] } }));
  const options = {
    ...settings,
    ...{
      keyGroups: [{ group: 'pages', prefixes: ['page:'], policy }],
      listen: { host: '127.0.0.1', port: 0 },
      tls: null,
    },
    ...{ proxyId: 'f00d.2', version: '1', standing: new FakeStanding('f00d.2') },
  };
  plane = new DataPlane(options, buildCommandTable(), {
    ...{ peers: other, limits: null, board: null, scriptPeers: null, fleet: null },
    beforeReturn: () => Promise.resolve(),
    onBusy: () => {},
    redisVersion: () => '',
    proxyInfo: () => [],
    allClients: () => 0,
  });
  plane.start();
  const port = Number(
    String(await plane.listen())
      .split(':')
      .at(-1),
  );
  atEnd(() => plane.close(0));
  plane.publish(snapshotOf(address));
  reader = await RawClient.connect(port);
  writer = await RawClient.connect(port);
  // Nobody is asked before the node's feed of changed keys is heard.
  for (let isHeard = false; !isHeard; ) {
    const isAsked = other.asked().then(() => true);
    const answer = writer.text('GET', `page:${next++}`);
    isHeard = await Promise.race([isAsked, answer.then(() => false)]);
    other.answers('no');
    await answer;
  }
});

/** A key that was there until just now: the other process does not know whether it was written, or has gone. */
beforeEach(async () => {
  key = `page:${next++}`;
  await writer.command('SET', key, 'v');
  const isAsked = other.asked();
  await past.command('DEL', key);
  const first = writer.text('GET', key);
  await isAsked;
  other.answers('no');
  expect(await first).toBe(NIL);
  await writer.pipeline([
    ['SET', key, 'v'],
    ['DEL', key],
  ]);
});

/** A client reads the key. @returns what it is answered, once the other process is asked */
async function read(): Promise<{ readonly answer: Promise<string> }> {
  const isAsked = other.asked();
  const answer = reader.text('GET', key);
  answer.catch(() => {});
  await isAsked;
  return { answer };
}

/** What another process is told that is about to have a filler. */
function askedBy(from: string): Promise<PeerAnswer> {
  return plane.answerPeer({ type: 'filled', from, keys: [{ key: Buffer.from(key), database: 0 }] });
}

/** It is told that the key was written, and reads it anew from now on. */
async function toldWritten(): Promise<void> {
  other.answers('written');
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

describe('a process that was told that the key was written, and reads it anew', () => {
  it('has the filler, and says so to one whose name is later', async () => {
    const { answer } = await read();
    await toldWritten();
    expect(await askedBy('f00d.3')).toEqual({ filled: ['yes'] });
    expect(await answer).toBe(NIL);
  });

  it('leaves it to one whose name is earlier', async () => {
    const { answer } = await read();
    await toldWritten();
    // `no` where this machine took its time: then the write is long ago.
    expect([{ filled: ['written'] }, { filled: ['no'] }]).toContainEqual(await askedBy('f00d.1'));
    // Its own read is over by then.
    await writer.command('PING');
    await past.command('SET', key, 'v');
    expect(await answer).toBe(VALUE);
  });
});

describe('a process that has left the key to another one', () => {
  it('has no filler when that does not answer in time', async () => {
    const { answer } = await read();
    await askedBy('f00d.1');
    // Nothing tells that it goes on waiting: four times as long as it waits for the other one's answer has to do.
    const first = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 200, 'waits'))]);
    expect(first).toBe('waits');
    await past.command('SET', key, 'v');
    expect(await answer).toBe(VALUE);
  });
});

describe('an answer that came while the process could not run', () => {
  it('counts, though its time is over', async () => {
    const channel = new MessageChannel();
    const late: Peers = {
      ask: () =>
        new Promise((resolve) => {
          channel.port1.addEventListener('message', () => resolve([{ filled: ['yes'] }]));
          channel.port1.start();
          queueMicrotask(() => {
            channel.port2.postMessage(null);
            const until = performance.now() + 100;
            while (performance.now() < until);
          });
        }),
      tell: () => {},
    };
    const found = await new Promise((resolve) => {
      new FillsElsewhere('f00d.1', late).ask(new Fill(Buffer.from('page:a'), 0), resolve);
    });
    channel.port1.close();
    expect(found).toBe('yes');
  });
});
