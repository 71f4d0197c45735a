/** Replies leave in the order of their requests, and when a client may see one, all that hangs on it is done. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Chunks } from '../../../src/proxy/io/chunk.js';
import { ChunkPool } from '../../../src/proxy/io/chunk-pool.js';
import { Outlet } from '../../../src/proxy/io/outlet.js';
import type { Companion } from '../../../src/proxy/request/companion.js';
import { HoldPool } from '../../../src/proxy/request/hold.js';
import type { Request } from '../../../src/proxy/request/request.js';
import { RequestPool } from '../../../src/proxy/request/request-pool.js';
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
  close(): void {}
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
