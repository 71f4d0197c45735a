/** Micro-benchmarks of framing and copying: nanoseconds per frame, reply or copy. */
import { copyBytes } from '../../../src/resp/bytes.js';
import { request } from '../../../src/resp/encode.js';
import { ReplyFramer } from '../../../src/resp/reply-framer.js';
import { COMPLETE, RequestFramer } from '../../../src/resp/request-framer.js';
import { lastingBytes, wordsOf } from '../../../src/resp/words.js';

export interface MicroBenchmark {
  readonly name: string;
  /** Does the thing `iterations` times. */
  run(iterations: number): void;
}

/** Frames a chunk holds: as many as a pipelining client sends in one piece. */
const PIPELINE = 64;

const LIMITS = {
  maxArgs: 1024 * 1024,
  maxBulkLength: 512 * 1024 * 1024,
  maxInlineLength: 64 * 1024,
  authenticated: true,
};

function repeated(frame: Uint8Array): Buffer {
  return Buffer.concat(Array.from({ length: PIPELINE }, () => frame));
}

function requests(name: string, frame: Uint8Array): MicroBenchmark {
  const chunk = repeated(frame);
  const framer = new RequestFramer(LIMITS);
  return {
    name: `frame request ${name}`,
    run(iterations) {
      let at = 0;
      for (let i = 0; i < iterations; i++) {
        if (framer.next(chunk, at, chunk.length) !== COMPLETE) throw new Error('a whole frame is complete');
        at = framer.consumed === chunk.length ? 0 : framer.consumed;
      }
    },
  };
}

function replies(name: string, reply: Uint8Array): MicroBenchmark {
  const chunk = repeated(reply);
  const framer = new ReplyFramer();
  return {
    name: `frame reply ${name}`,
    run(iterations) {
      let at = 0;
      for (let i = 0; i < iterations; i++) {
        at = framer.advance(chunk, at, chunk.length);
        if (!framer.complete) throw new Error('a whole reply is complete');
        if (at === chunk.length) at = 0;
      }
    },
  };
}

function copies(bytes: number): MicroBenchmark {
  const source = lastingBytes(bytes + 1024).fill('x');
  const target = lastingBytes(bytes + 1024);
  const words = wordsOf(target);
  return {
    name: `copy ${bytes} bytes`,
    run(iterations) {
      for (let i = 0; i < iterations; i++) copyBytes(target, words, i & 1023, source, i & 511, (i & 511) + bytes);
    },
  };
}

const key = 'key:000000012345';
const value = 'x'.repeat(64);
const bulkReply = Buffer.from(`$64\r\n${value}\r\n`);
const mset = request(['MSET', ...Array.from({ length: 10 }, () => [key, value]).flat()]);

export const benchmarks: readonly MicroBenchmark[] = [
  requests('GET, 16-byte key', request(['GET', key])),
  requests('SET, 16-byte key, 64-byte value', request(['SET', key, value])),
  requests('MSET of 10 pairs', mset),
  requests('SET, 10 KB value', request(['SET', key, 'x'.repeat(10_000)])),
  requests('inline GET', Buffer.from(`GET ${key}\r\n`)),
  replies('+OK', Buffer.from('+OK\r\n')),
  replies('integer', Buffer.from(':12345\r\n')),
  replies('nil', Buffer.from('$-1\r\n')),
  replies('bulk of 64 bytes', bulkReply),
  replies('array of 10 bulks', Buffer.concat([Buffer.from('*10\r\n'), ...Array.from({ length: 10 }, () => bulkReply)])),
  copies(16),
  copies(64),
  copies(96),
  copies(256),
  copies(4096),
];
