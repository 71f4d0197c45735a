/** Replies leave in the order of their requests, and when a client may see one, all that hangs on it is done. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Chunks } from '../../../src/proxy/io/chunk.js';
import { ChunkPool } from '../../../src/proxy/io/chunk-pool.js';
import { Outlet } from '../../../src/proxy/io/outlet.js';
import type { Companion } from '../../../src/proxy/request/companion.js';
import { HoldPool } from '../../../src/proxy/request/hold.js';
import type { Request } from '../../../src/proxy/request/request.js';
import { RequestPool } from '../../../src/proxy/request/request-pool.js';
import type { ReplySource } from '../../../src/proxy/request/requester.js';
import { TRACKS } from '../../../src/proxy/session/modes.js';
import { ReplyQueue, type ReplyTaker } from '../../../src/proxy/session/reply-queue.js';
import { ManualTurn } from '../../support/manual-turn.js';
import { writerTo } from '../../support/socket-writer.js';

class Taker implements ReplyTaker {
  readonly id = 1;
  readonly address = '127.0.0.1:1';
  readonly name = '';
  readonly closed = false;
  readonly head = null;
  readonly uploading = false;
  modes = 0;
  answered = (): void => {};
  ended = '';

  isIn(modes: number): boolean {
    return (this.modes & modes) !== 0;
  }
  onAnswered(): void {
    this.answered();
  }
  isNext(): boolean {
    return true;
  }
  push(): void {}
  onReply(): void {}
  onFailure(): void {}
  onReplyPiece(): boolean {
    return true;
  }
  onReplyCut(): void {}
  onReplyPieces(): void {}
  onLargeReply(): void {}
  releaseLane(): void {}
  resumeSoon(): void {}
  close(reason: string): void {
    this.ended = reason;
    queue.abandon();
  }
}

/** What the client was sent, and what was done, in the order in which it happened. */
let happened: string[];
let turn: ManualTurn;
let taker: Taker;
let queue: ReplyQueue;
let requests: RequestPool;

beforeEach(() => {
  happened = [];
  turn = new ManualTurn();
  taker = new Taker();
  requests = new RequestPool();
  const chunks = new Chunks(1024, 4);
  const pools = { few: 0, plenty: 1024, first: chunks, usual: chunks, large: new ChunkPool(4096, 4) };
  const outlet = new Outlet(turn, pools, { onDrained: () => {} });
  const writer = writerTo((bytes) => {
    happened.push(Buffer.from(bytes).toString());
    return true;
  });
  outlet.attach(writer);
  const shared = {
    requests,
    holds: new HoldPool(),
    counters: { bytesOut: 0 },
    options: { clientOutputLimit: 1024 },
  };
  queue = new ReplyQueue(taker, shared, outlet);
});

function ask(companion: Companion | null = null): Request {
  const request = requests.take();
  request.companion = companion;
  queue.enqueue(request);
  return request;
}

function answer(request: Request, text: string): void {
  queue.take(request, Buffer.from(text), 0, text.length);
}

describe('a reply', () => {
  it('with which its client is owed nothing more leaves before the turn ends', () => {
    answer(ask(), '+1');
    expect(happened).toEqual(['+1']);
  });

  it('that others are owed behind waits for the end of the turn', () => {
    const first = ask();
    ask();
    answer(first, '+1');
    expect(happened).toEqual([]);
    turn.end();
    expect(happened).toEqual(['+1']);
  });

  it('that came too early leaves with the one that it waited for, in one write', () => {
    const [first, second] = [ask(), ask()];
    answer(second, '+2');
    turn.end();
    expect(happened).toEqual([]);
    answer(first, '+1');
    expect(happened).toEqual(['+1+2']);
  });

  it('in pieces leaves whole', () => {
    queue.takePieces(ask(), [Buffer.from('$2\r\n'), Buffer.from('ab\r\n')], 8);
    expect(happened.join('')).toBe('$2\r\nab\r\n');
  });

  it('is seen by nobody before those have heard who go with its request', () => {
    const done = { onSent: () => {}, reads: () => false, onDone: () => happened.push('done') };
    answer(ask(done), '+1');
    expect(happened).toEqual(['done', '+1']);
  });

  it('is seen by nobody before its client tracks what it has read', () => {
    taker.modes = TRACKS;
    taker.answered = () => happened.push('tracked');
    answer(ask(), '+1');
    expect(happened).toEqual(['tracked', '+1']);
  });
});

describe('large replies that come too early', () => {
  /** Others wait behind them, so that it cannot be stopped. */
  const absorbing: ReplySource = {
    closed: false,
    head: null,
    absorbs: true,
    pause: () => happened.push('paused'),
    resume: () => {},
    expectAgain: () => {},
  };
  const piece = (request: Request, bytes: number, last: boolean) =>
    queue.takePiece(request, absorbing, Buffer.alloc(bytes, 'x'), 0, bytes, last);

  // Symptom: a client's replies of another node were kept without a bound while its first command was slow.
  it('are kept up to client-output-limit, however many they are, and no further', () => {
    ask();
    const early = Array.from({ length: 20 }, () => ask());
    for (const request of early.slice(0, 4)) {
      piece(request, 150, false);
      piece(request, 50, true);
    }
    expect(taker.ended).toBe('');
    for (const request of early.slice(4)) {
      if (taker.ended === '') piece(request, 150, false);
      if (taker.ended === '') piece(request, 50, true);
    }
    expect(taker.ended).not.toBe('');
    expect(queue.pending).toBe(0);
    expect(happened).toEqual([]);
  });

  it('count no more once they have left, or will not come', () => {
    for (let round = 0; round < 20; round++) {
      const [first, second, third] = [ask(), ask(), ask()];
      piece(second, 300, true);
      piece(third, 300, false);
      queue.cut(third);
      answer(first, '+1');
      answer(third, '-cut');
      turn.end();
    }
    expect(taker.ended).toBe('');
    expect(queue.pending).toBe(0);
  });
});
