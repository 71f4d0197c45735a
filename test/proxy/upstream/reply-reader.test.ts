import { describe, expect, it } from 'vitest';
import { ChunkPool } from '../../../src/proxy/io/chunk-pool.js';
import type { ReplyStream } from '../../../src/proxy/request/reply-sink.js';
import { Request } from '../../../src/proxy/request/request.js';
import { ReplyReader, type ReplyReceiver } from '../../../src/proxy/upstream/reply-reader.js';

const CHUNK_BYTES = 65_536;
const STREAM_THRESHOLD = 32_768;

/** A lane with one request at its head, and what it was told. */
function setUp({ isNext = true, ready = true, receive = null as Buffer | null } = {}) {
  const told: string[] = [];
  const stream: ReplyStream = {
    onReply: () => {},
    onFailure: () => {},
    isNext: () => isNext,
    onReplyPiece: (_request, source, buffer, start, end, last) => {
      told.push(`piece ${end - start}${last ? ' last' : ''}${source === null ? '' : ' may pause'}`);
      lastPiece = buffer;
      return false;
    },
    onReplyCut: () => {},
  };
  let lastPiece: Buffer | null = null;
  const head = new Request(stream);
  head.streamTo(stream);
  const lane: ReplyReceiver = {
    closed: false,
    absorbs: false,
    ready,
    head,
    pause: () => {},
    resume: () => {},
    expectAgain: () => {},
    onWholeReply: (_buffer, start, end) => told.push(`whole ${end - start}`),
    onLargeReply: () => told.push('large'),
    onStreamed: () => told.push('streamed'),
  };
  const pool = new ChunkPool(CHUNK_BYTES, 4);
  const options = { streamThreshold: STREAM_THRESHOLD };
  const reader = new ReplyReader(lane, { receive, pool, options, nobody: stream });
  const read = (...parts: Buffer[]): boolean => {
    const chunk = reader.receiveBuffer;
    const length = Buffer.concat(parts).copy(chunk);
    return reader.read(chunk, length);
  };
  /** Of memory that others read into as well. */
  const readLent = (bytes: Buffer): Buffer => {
    const lent = Buffer.from(bytes);
    reader.read(lent, lent.length);
    return lent;
  };
  return { told, reader, read, readLent, lastPiece: () => lastPiece };
}

function bulk(bytes: number): Buffer {
  return Buffer.from(`$${bytes}\r\n${'x'.repeat(bytes)}\r\n`);
}

describe('what comes by a lane', () => {
  it('is handed on reply by reply, and gathered where a reply is cut', () => {
    const { told, read } = setUp();
    const reply = bulk(10);
    read(Buffer.from('+OK\r\n'), reply.subarray(0, 4));
    read(reply.subarray(4));
    expect(told).toEqual(['whole 5', `whole ${reply.length}`]);
  });

  it('is told to be no reply', () => {
    expect(setUp().read(Buffer.from('?\r\n'))).toBe(false);
  });

  it('is not handed on where it answers nothing', () => {
    const { told, read } = setUp();
    read(Buffer.from('>1\r\n+hello\r\n'));
    expect(told).toEqual([]);
  });

  it('goes to the client as it comes where it is the client’s turn, in a buffer that is not read into again', () => {
    const { told, read, reader, lastPiece } = setUp();
    const before = reader.receiveBuffer;
    const reply = bulk(20_000);
    read(reply);
    expect(told).toEqual(['streamed', `piece ${reply.length} last`]);
    expect(lastPiece()).toBe(before);
    expect(reader.receiveBuffer).not.toBe(before);
  });

  // A chunk that two writes had went back to its pool twice, and two lanes read into it at once: clients were sent
  // each other's bytes. It took two clients that did not take their replies, of 16 KB or more, in one chunk.
  it('is given to one client at most: the next one’s piece of the same chunk is copied', () => {
    const { read, reader, lastPiece } = setUp();
    const reply = bulk(20_000);
    read(reply.subarray(0, 100));
    const chunk = reader.receiveBuffer;
    read(reply.subarray(100), reply.subarray(0, 200));
    expect(lastPiece()).not.toBe(chunk);
    expect(lastPiece()).toHaveLength(200);
    expect(reader.receiveBuffer).not.toBe(chunk);
  });

  it('is copied where others read into the same buffer', () => {
    const shared = Buffer.alloc(CHUNK_BYTES);
    const { read, reader, lastPiece } = setUp({ receive: shared });
    read(bulk(20_000));
    expect(lastPiece()).not.toBe(shared);
    expect(reader.receiveBuffer).toBe(shared);
  });

  it('is copied where the chunk is only lent, and the buffer of its own stays for what is read by itself', () => {
    const { told, read, readLent, reader, lastPiece } = setUp();
    const own = reader.receiveBuffer;
    const reply = bulk(40_000);
    const lent = readLent(reply.subarray(0, 16_384));
    lent.fill('?');
    expect(lastPiece()?.equals(reply.subarray(0, 16_384))).toBe(true);
    expect(reader.receiveBuffer).toBe(own);
    read(reply.subarray(16_384));
    expect(lastPiece()).toBe(own);
    expect(reader.receiveBuffer).not.toBe(own);
    expect(told).toEqual([
      'large',
      'piece 16384 may pause',
      'streamed',
      `piece ${reply.length - 16_384} last may pause`,
    ]);
  });

  it('is gathered where it is cut by the end of a lent chunk, and of the next one', () => {
    const { told, readLent } = setUp();
    const reply = bulk(10);
    for (const part of [reply.subarray(0, 4), reply.subarray(4, 9), reply.subarray(9)]) readLent(part).fill('?');
    readLent(Buffer.from('+OK\r\n'));
    expect(told).toEqual([`whole ${reply.length}`, 'whole 5']);
  });

  it('stops the lane for a slow client only where nobody else waits behind it', () => {
    const { told, read, reader } = setUp({ isNext: false });
    const reply = bulk(40_000);
    read(reply.subarray(0, 100));
    expect(reader.isStreaming).toBe(true);
    read(reply.subarray(100));
    expect(told).toEqual(['large', 'piece 100 may pause', 'streamed', `piece ${reply.length - 100} last may pause`]);
    expect(reader.isStreaming).toBe(false);
  });

  it('is whole, however large, while the node greets', () => {
    const { told, read } = setUp({ ready: false });
    const reply = bulk(20_000);
    read(reply.subarray(0, 100));
    read(reply.subarray(100));
    expect(told).toEqual([`whole ${reply.length}`]);
  });
});
