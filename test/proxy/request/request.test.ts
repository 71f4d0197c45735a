/** Fields that share a place: each keeps what it was set to, whatever the others are set to. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { buildCommandTable } from '../../../src/commands/build.js';
import { ARRAY_READ, KEY_READ, NO_GROUP, NO_READ } from '../../../src/proxy/measure/marks.js';
import type { ReplyStream } from '../../../src/proxy/request/reply-sink.js';
import {
  DONE,
  KNOWN_KEY,
  NO_KEYS_AT_ALL,
  PARTIAL,
  Request,
  UNKNOWN_KEYS,
  WAITING,
} from '../../../src/proxy/request/request.js';

const nobody: ReplyStream = {
  isNext: () => false,
  onReply() {},
  onFailure() {},
  onReplyPiece: () => true,
  onReplyCut() {},
};

const FRESH = {
  state: WAITING,
  keys: UNKNOWN_KEYS,
  cacheRead: NO_READ,
  runsCode: false,
  silent: false,
  group: NO_GROUP,
  command: 0,
  chunks: null,
  chunkBytes: 0,
  keyGroups: null,
  steps: null,
  companion: null,
  misses: null,
} as const;

const change = fc.oneof(
  fc.record({ state: fc.constantFrom(WAITING, PARTIAL, DONE) }),
  fc.record({ keys: fc.constantFrom(UNKNOWN_KEYS, KNOWN_KEY, NO_KEYS_AT_ALL) }),
  fc.record({ cacheRead: fc.constantFrom(NO_READ, KEY_READ, ARRAY_READ) }),
  fc.record({ runsCode: fc.boolean() }),
  fc.record({ silent: fc.boolean() }),
  fc.record({ group: fc.integer({ min: NO_GROUP, max: 31 }) }),
  fc.record({ command: fc.nat(0xfff) }),
  fc.record({ chunks: fc.constantFrom(null, [Buffer.from('x')]) }),
  fc.record({ chunkBytes: fc.nat() }),
  fc.record({ keyGroups: fc.constantFrom(null, Uint8Array.of(1)) }),
);

function fieldsOf(request: Request): object {
  return Object.fromEntries(Object.keys(FRESH).map((name) => [name, request[name as keyof typeof FRESH]]));
}

it('fields keep what they were set to, and are as new ones behind a reset', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), fc.boolean(), (changes, streams) => {
      const request = new Request(nobody);
      if (streams) request.streamTo(nobody);
      for (const [i] of changes.entries()) {
        Object.assign(request, changes[i]);
        expect(fieldsOf(request)).toEqual(Object.assign({ ...FRESH }, ...changes.slice(0, i + 1)));
        expect(request.stream).toBe(streams ? nobody : null);
      }
      request.reset(nobody);
      expect(fieldsOf(request)).toEqual(FRESH);
      expect([request.stream, request.sink]).toEqual([null, nobody]);
    }),
  );
});

it('who takes the reply takes a large one as it comes, or has it gathered', () => {
  const request = new Request(nobody);
  const sink = { ...nobody };
  request.streamTo(sink);
  expect([request.sink, request.stream]).toEqual([sink, sink]);
  request.answerTo(nobody);
  expect([request.sink, request.stream]).toEqual([nobody, null]);
});

it('the time is kept to the microsecond, for years', () => {
  const request = new Request(nobody);
  const years = 20 * 365 * 86_400_000;
  fc.assert(
    fc.property(fc.double({ min: 0, max: years, noNaN: true }), (at) => {
      request.startedAt = at;
      expect(Math.abs(request.startedAt - at)).toBeLessThanOrEqual(0.0006);
    }),
  );
  for (const at of [0, 0.25, 999.9999, 1000, 1000.3, 123_456.789]) {
    request.startedAt = at;
    expect(request.startedAt).toBeCloseTo(at, 3);
  }
});

it('ids of commands have room, however many a node knows', () => {
  const extra = Array.from({ length: 5000 }, (_, i) => {
    const name = `module.command${i}`;
    return { name, arity: 2, flags: [], firstKey: 1, lastKey: 1, step: 1, subcommands: [] };
  });
  const request = new Request(nobody);
  for (const { id } of buildCommandTable(extra).rows()) {
    request.command = id;
    expect(request.command).toBe(id);
  }
  expect(request.state).toBe(WAITING);
});
