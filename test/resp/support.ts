import {
  args,
  COMPLETE,
  INCOMPLETE,
  MALFORMED,
  RequestFramer,
  type RequestLimits,
} from '../../src/resp/request-framer.js';

export const LIMITS: RequestLimits = {
  maxArgs: 2_147_483_647,
  maxBulkLength: 512 * 1024 * 1024,
  maxInlineLength: 64 * 1024,
  authenticated: true,
};

/** What a client's bytes are to the framer. Bytes as latin1. */
interface Framed {
  /** The arguments of each frame; empty frames are left out. */
  commands: string[][];
  /** Each frame as it would be forwarded. */
  forwarded: string[];
  /** After malformed bytes, otherwise null. */
  error: string | null;
  /** Bytes at the end that are no frame yet. */
  left: number;
}

/** Frames a stream of bytes that comes in `pieces`, as a client connection does: it keeps what is incomplete. */
export function frame(pieces: readonly Buffer[], limits: RequestLimits = LIMITS): Framed {
  const framer = new RequestFramer({ ...limits });
  const framed: Framed = { commands: [], forwarded: [], error: null, left: 0 };
  let carry = Buffer.alloc(0);
  // Frames do not begin at offset 0, and garbage follows behind the end.
  const margin = Buffer.from('*1\r\n$');
  for (const piece of pieces) {
    const kept = Buffer.concat([carry, piece]);
    const buffer = Buffer.concat([margin, kept, margin]);
    const end = margin.length + kept.length;
    let at = margin.length;
    while (at < end) {
      const outcome = framer.next(buffer, at, end);
      if (outcome === INCOMPLETE) break;
      if (outcome === MALFORMED) {
        framed.error = framer.error;
        return framed;
      }
      if (outcome === COMPLETE && framer.argc > 0) take(framer, framed);
      at = framer.consumed;
    }
    carry = buffer.subarray(at, end);
  }
  framed.left = carry.length;
  return framed;
}

function take(framer: RequestFramer, framed: Framed): void {
  const source = Buffer.from(framer.source);
  const words: string[] = [];
  for (let i = 0; i < framer.argc; i++) words.push(source.toString('latin1', args.start[i], args.end[i]));
  framed.commands.push(words);
  framed.forwarded.push(source.toString('latin1', framer.frameStart, framer.frameEnd));
}

export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function singleBytes(buffer: Buffer): Buffer[] {
  return Array.from({ length: buffer.length }, (_, i) => buffer.subarray(i, i + 1));
}

/** Cuts at these offsets, which may be any numbers. */
export function cut(buffer: Buffer, offsets: readonly number[]): Buffer[] {
  const at = [...new Set(offsets.map((offset) => offset % (buffer.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, i) => buffer.subarray(start, at[i] ?? buffer.length));
}

/** For the names of tests: the bytes as JSON, shortened. */
export function named<Rest extends readonly unknown[]>(
  cases: readonly (readonly [input: string, ...rest: Rest])[],
): [name: string, input: string, ...rest: Rest][] {
  return cases.map(([input, ...rest]) => [JSON.stringify(input).slice(0, 60), input, ...rest]);
}

/** The buffer, with the reads of its bytes counted. */
export function countReads(buffer: Buffer): { counted: Buffer; reads: () => number } {
  let count = 0;
  const counted = new Proxy(buffer, {
    get(target, property) {
      if (typeof property === 'string' && /^\d+$/.test(property)) count++;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { counted, reads: () => count };
}
