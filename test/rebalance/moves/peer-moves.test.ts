/** Two proxies, one of which moves the keys of a source: what the other one asks of it, and what is lost on the way. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Looks } from '../../../src/rebalance/looks.js';
import { MovesServer, type OwnSource } from '../../../src/rebalance/moves/moves-server.js';
import {
  type MovesAnswer,
  type MovesQuestion,
  parseMovesAnswer,
  parseQuestion,
  questionBody,
} from '../../../src/rebalance/moves/peer-protocol.js';
import { PeerSource } from '../../../src/rebalance/moves/peer-source.js';
import { SettledKeys } from '../../../src/rebalance/settled-keys.js';
import { ManualTimers } from '../../support/manual-timers.js';

const SOURCE = 1;
const TARGET = 2;
const [KEY, OTHER] = [Buffer.from([0, 255, 13, 10]), Buffer.from('other')];

const turns = async (count = 12): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** The mover's end: the test says what has moved. */
class Mover implements OwnSource {
  readonly looks = new Looks();
  readonly settled = new SettledKeys();
  readonly asked: { key: Buffer; client: { resumeSoon(): void } }[] = [];
  revision = 7;

  isMoving(target: number): boolean {
    return target === TARGET;
  }

  isSettled(database: number, key: Buffer): boolean {
    return this.settled.has(SOURCE, database, key, 0, key.length);
  }

  settle(_target: number, _database: number, key: Buffer, client: { resumeSoon(): void }): void {
    this.asked.push({ key, client });
  }

  noteGone(database: number, key: Buffer): void {
    this.settled.add(SOURCE, database, key);
  }

  /** All keys that were asked for have moved, or could not. */
  finish(moved: boolean): void {
    for (const { key, client } of this.asked.splice(0)) {
      if (moved) this.settled.add(SOURCE, 0, key);
      client.resumeSoon();
    }
  }
}

class Client {
  resumed = 0;
  resumeSoon(): void {
    this.resumed++;
  }
}

let timers: ManualTimers;
let mover: Mover;
let server: MovesServer;
let settled: SettledKeys;
let peer: PeerSource;
let questions: MovesQuestion[];
/** What becomes of a question on its way. */
let way: (question: MovesQuestion) => Promise<MovesAnswer | null>;

beforeEach(() => {
  timers = new ManualTimers();
  mover = new Mover();
  server = new MovesServer(
    ({ change, source, revision }) =>
      change === 'c' && source === SOURCE && revision === mover.revision ? mover : null,
    timers,
  );
  settled = new SettledKeys();
  questions = [];
  way = (question) => server.answer('p1', question);
  peer = new PeerSource({
    source: SOURCE,
    settled,
    timers,
    ask: async (asked) => {
      const sent = parseQuestion(
        JSON.parse(JSON.stringify(questionBody({ ...asked, change: 'c', source: SOURCE, revision: 7 }))),
      );
      if (sent === null) throw new Error('it is no question');
      questions.push(sent);
      const answer = await way(sent);
      const read = answer === null ? null : parseMovesAnswer(JSON.parse(JSON.stringify(answer)));
      return read?.moves === true ? read : null;
    },
  });
});

const isSettled = (key: Buffer): boolean => settled.has(SOURCE, 0, key, 0, key.length);

describe('a key that another proxy moves', () => {
  it('is asked for once, with all others of the turn, and remembered', async () => {
    const clients = [new Client(), new Client(), new Client()] as const;
    peer.settle(TARGET, 0, KEY, clients[0]);
    peer.settle(TARGET, 0, KEY, clients[1]);
    peer.settle(TARGET, 0, OTHER, clients[2]);
    await turns();
    expect(questions.map(({ settle }) => settle.map(({ key }) => key))).toEqual([[KEY, OTHER]]);
    mover.finish(true);
    await turns();
    expect(clients.map(({ resumed }) => resumed)).toEqual([1, 1, 1]);
    expect([isSettled(KEY), isSettled(OTHER)]).toEqual([true, true]);
  });

  it('that cannot be moved resumes its client, who asks again', async () => {
    const client = new Client();
    peer.settle(TARGET, 0, KEY, client);
    await turns();
    mover.finish(false);
    await turns();
    expect([client.resumed, isSettled(KEY)]).toEqual([1, false]);
    peer.settle(TARGET, 0, KEY, client);
    await turns();
    expect(questions).toHaveLength(2);
  });

  it('that takes long keeps nobody waiting for another one', async () => {
    const [slow, quick] = [new Client(), new Client()];
    peer.settle(TARGET, 0, KEY, slow);
    peer.settle(TARGET, 0, OTHER, quick);
    await turns();
    const [first, second] = mover.asked.splice(0);
    mover.settled.add(SOURCE, 0, OTHER);
    second?.client.resumeSoon();
    timers.advance(100);
    await turns();
    expect([slow.resumed, quick.resumed, isSettled(OTHER), isSettled(KEY)]).toEqual([0, 1, true, false]);
    expect(questions.at(-1)?.settle.map(({ key }) => key)).toEqual([KEY]);
    mover.settled.add(SOURCE, 0, KEY);
    // The answer to the first question comes late, and counts for nothing: the second one has its own.
    first?.client.resumeSoon();
    mover.finish(true);
    await turns();
    expect([slow.resumed, isSettled(KEY)]).toEqual([1, true]);
  });

  it('whose question, or answer, is lost is asked for again a while later', async () => {
    const client = new Client();
    way = () => Promise.resolve(null);
    peer.settle(TARGET, 0, KEY, client);
    await turns();
    expect(client.resumed).toBe(0);
    timers.advance(100);
    await turns();
    expect([client.resumed, isSettled(KEY)]).toEqual([1, false]);
    // Now the answer is lost, and the mover has done it.
    way = async (question) => {
      void server.answer('p1', question);
      mover.finish(true);
      return null;
    };
    peer.settle(TARGET, 0, KEY, client);
    await turns();
    timers.advance(100);
    await turns();
    expect([client.resumed, isSettled(KEY)]).toEqual([2, false]);
    way = (question) => server.answer('p1', question);
    peer.settle(TARGET, 0, KEY, client);
    await turns();
    expect([client.resumed, isSettled(KEY)]).toEqual([3, true]);
    expect(mover.asked).toEqual([]);
  });

  it('is left alone by a mover whose claim is another one', async () => {
    mover.revision = 8;
    peer.settle(TARGET, 0, KEY, new Client());
    peer.noteGone(0, OTHER);
    await turns();
    expect([mover.asked, mover.isSettled(0, OTHER), isSettled(OTHER)]).toEqual([[], false, false]);
  });

  it('is not moved where it does not move to', async () => {
    const client = new Client();
    peer.settle(TARGET + 1, 0, KEY, client);
    await turns();
    expect([mover.asked, client.resumed, isSettled(KEY)]).toEqual([[], 1, false]);
  });

  it('resumes its client when another one moves it from now on; what comes late is for nobody', async () => {
    const client = new Client();
    peer.settle(TARGET, 0, KEY, client);
    await turns();
    peer.close();
    expect(client.resumed).toBe(1);
    mover.finish(true);
    await turns();
    expect(client.resumed).toBe(1);
    peer.settle(TARGET, 0, KEY, client);
    expect(client.resumed).toBe(2);
  });

  it('goes in questions that are bounded, of which few are under way', async () => {
    for (let i = 0; i < 2000; i++) peer.settle(TARGET, 0, Buffer.from(`key:${i}`), new Client());
    await turns();
    expect(questions.map(({ settle }) => settle.length)).toEqual([512, 512]);
    mover.finish(true);
    await turns();
    mover.finish(true);
    await turns();
    expect(questions.reduce((sum, { settle }) => sum + settle.length, 0)).toBe(2000);
  });
});

describe('a key that its source has said not to have', () => {
  it('counts as gone when the mover knows of it, and not before', async () => {
    let deliver: () => void = () => {};
    way = async (question) => {
      await new Promise<void>((resolve) => {
        deliver = resolve;
      });
      return server.answer('p1', question);
    };
    peer.noteGone(0, KEY);
    await turns();
    expect([isSettled(KEY), mover.isSettled(0, KEY)]).toEqual([false, false]);
    deliver();
    await turns();
    expect([isSettled(KEY), mover.isSettled(0, KEY)]).toEqual([true, true]);
  });

  it('does not when that was lost', async () => {
    way = () => Promise.resolve(null);
    peer.noteGone(0, KEY);
    await turns();
    expect(isSettled(KEY)).toBe(false);
  });
});

describe('moves that hold still for a command of another proxy', () => {
  it('do until it is released', async () => {
    mover.looks.moves();
    const held = peer.hold();
    await turns();
    mover.looks.moved();
    const release = await held;
    expect(release).not.toBeNull();
    expect(mover.looks.comeFirst).toBe(true);
    for (let i = 0; i < 10; i++) {
      timers.advance(1000);
      await turns();
    }
    expect(mover.looks.comeFirst).toBe(true);
    release?.();
    await turns();
    expect(mover.looks.comeFirst).toBe(false);
  });

  it('go on by themselves when the other proxy is gone', async () => {
    await peer.hold();
    way = () => Promise.resolve(null);
    timers.advance(1000);
    await turns();
    expect(mover.looks.comeFirst).toBe(true);
    timers.advance(2999);
    await turns();
    expect(mover.looks.comeFirst).toBe(false);
  });

  it('are not waited for by others for long when keys are on their way, or the mover is gone', async () => {
    mover.looks.moves();
    const held = peer.hold();
    for (let i = 0; i < 10; i++) {
      await turns();
      timers.advance(100);
    }
    expect(await held).toBeNull();
    mover.looks.moved();
    await turns();
    expect(mover.looks.comeFirst).toBe(false);
    way = () => Promise.resolve(null);
    expect(await peer.hold()).toBeNull();
  });

  it('are held once, though the question comes twice', async () => {
    way = async (question) => {
      const [first] = await Promise.all([server.answer('p1', question), server.answer('p1', question)]);
      return first;
    };
    const release = await peer.hold();
    release?.();
    await turns();
    expect(mover.looks.comeFirst).toBe(false);
  });
});
