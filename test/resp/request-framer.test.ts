import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { request } from '../../src/resp/encode.js';
import { args, COMPLETE, INCOMPLETE, MALFORMED, RequestFramer, readAside } from '../../src/resp/request-framer.js';
import { bytes, countReads, cut, frame, LIMITS, named, singleBytes } from './support.js';

const UNAUTHENTICATED = { ...LIMITS, authenticated: false };

describe('whole frames', () => {
  it('frames a pipeline, and leaves what is incomplete', () => {
    const first = '*2\r\n$3\r\nGET\r\n$16\r\nkey:000000012345\r\n';
    const framed = frame([bytes(`${first}*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPI`)]);
    expect(framed).toEqual({
      commands: [['GET', 'key:000000012345'], ['PING']],
      forwarded: [first, '*1\r\n$4\r\nPING\r\n'],
      error: null,
      left: 10,
    });
  });

  it('finds arguments of every length from 0 to 70,000, before and behind other arguments', () => {
    const framer = new RequestFramer(LIMITS);
    const payload = Buffer.alloc(70_000, '\r\n$1*');
    for (let length = 0; length <= 70_000; length = length < 1100 ? length + 1 : Math.ceil(length * 1.03)) {
      const buffer = request(['SET', payload.subarray(0, length), 'x']);
      expect(framer.next(buffer, 0, buffer.length)).toBe(COMPLETE);
      expect(framer.argc).toBe(3);
      expect((args.end[1] as number) - (args.start[1] as number)).toBe(length);
      expect(buffer.toString('latin1', args.start[2], args.end[2])).toBe('x');
      expect([framer.frameStart, framer.frameEnd, framer.consumed]).toEqual([0, buffer.length, buffer.length]);
      expect(framer.next(buffer, 0, buffer.length - 1)).toBe(INCOMPLETE);
      framer.reset();
    }
  });

  it('has room for more arguments than the table has', () => {
    const words = Array.from({ length: 150_000 }, (_, i) => String(i));
    const buffer = request(words);
    for (const size of [buffer.length, 65_536, 1000]) {
      const pieces = Array.from({ length: Math.ceil(buffer.length / size) }, (_, i) =>
        buffer.subarray(i * size, (i + 1) * size),
      );
      expect(framedInOneBuffer(pieces)).toEqual(words);
    }
  });

  it('never looks at stale bytes behind the end', () => {
    const stale = bytes('*1\r\n$4\r\nPING\r\n');
    const framer = new RequestFramer(LIMITS);
    for (let end = 1; end < stale.length; end++) {
      framer.reset();
      expect(framer.next(stale, 0, end)).toBe(INCOMPLETE);
    }
  });
});

describe('frames that are read aside', () => {
  // Symptom: MONITOR showed other bytes in the place of EXEC. Cause: the frames of its transaction were read meanwhile.
  it('leave the arguments of the frame at hand as they are, however many they have and however deep it goes', () => {
    const read = (...words: string[]): string[] => {
      const framer = new RequestFramer(LIMITS);
      const buffer = request(words);
      framer.next(buffer, 0, buffer.length);
      const found = Array.from({ length: framer.argc }, (_, i) =>
        buffer.toString('latin1', args.start[i], args.end[i]),
      );
      return found;
    };
    read('SET', 'key', 'a longer value');
    const before = [...args.end.subarray(0, 3)];
    const many = Array.from({ length: 3000 }, (_, i) => String(i));
    const inner = readAside(() => {
      const first = read('GET', 'k');
      expect(readAside(() => read(...many))).toEqual(many);
      expect(args.end[1]).toBeLessThan(before[1] as number);
      return first;
    });
    expect(inner).toEqual(['GET', 'k']);
    expect([...args.end.subarray(0, 3)]).toEqual(before);
    expect(() =>
      readAside(() => {
        throw new Error('as expected');
      }),
    ).toThrow('as expected');
    expect([...args.end.subarray(0, 3)]).toEqual(before);
  });
});

describe('what is known of an incomplete frame', () => {
  it('is what came so far, relative to its start', () => {
    const buffer = bytes('garbage*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\nvalue');
    const framer = new RequestFramer(LIMITS);
    expect(framer.next(buffer, 7, buffer.length)).toBe(INCOMPLETE);
    expect(framer).toMatchObject({ argsDeclared: 3, argsComplete: 2, bulkLength: 1000 });
    expect(framer.needed).toBe('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\n'.length + 1002);
    const words = [0, 1].map((i) =>
      buffer.toString('latin1', 7 + framer.partialArgStart(i), 7 + framer.partialArgEnd(i)),
    );
    expect(words).toEqual(['SET', 'k']);
    framer.reset();
    expect(framer).toMatchObject({ argsDeclared: 0, argsComplete: 0, bulkLength: -1, needed: 0 });
  });

  it('costs no room for arguments that are only declared', () => {
    const framer = new RequestFramer(LIMITS);
    const buffer = bytes('*2000000000\r\n$1\r\nx\r\n');
    const before = args.start.length;
    expect(framer.next(buffer, 0, buffer.length)).toBe(INCOMPLETE);
    expect(args.start.length).toBeLessThanOrEqual(Math.max(before, 65_536));
    expect(framer.needed).toBeLessThan(100);
  });
});

describe('inline commands', () => {
  it.each([
    ['PING\r\n', [['PING']]],
    ['PING\n', [['PING']]],
    ['  SET \t k  v \r\n', [['SET', 'k', 'v']]],
    ['\r\n\n  \r\nPING\n', [['PING']]],
    ['echo "a\\x41\\n\\r\\t\\b\\a\\q\\"\\\\" \n', [['echo', 'aA\n\r\t\b\x07q"\\']]],
    ["echo 'a\\'b\\n' ''\n", [['echo', "a'b\\n", '']]],
    ['echo foo"bar baz"\n', [['echo', 'foobar baz']]],
    ['echo a\vb\f "c"\vd\n', [['echo', 'a\vb\f', 'c', 'd']]],
    ['echo a\rb\r\n', [['echo', 'a', 'b']]],
    ['echo "\\xZZ\\x4"\n', [['echo', 'xZZx4']]],
    ['$3\n+\n', [['$3'], ['+']]],
    ['echo \xff\xfe\n', [['echo', '\xff\xfe']]],
  ])('%j', (input, commands) => {
    const framed = frame([bytes(input)]);
    expect(framed).toMatchObject({ commands, error: null, left: 0 });
    // They go on as multibulk frames.
    expect(framed.forwarded.map((text) => frame([bytes(text)]).commands[0])).toEqual(commands);
    expect(framed.forwarded.every((text) => text.startsWith('*'))).toBe(true);
  });
});

describe('malformed input', () => {
  it.each(
    named([
      ['*x\r\n', 'invalid multibulk length'],
      ['*2147483648\r\n', 'invalid multibulk length'],
      ['*01\r\n', 'invalid multibulk length'],
      ['*-0\r\n', 'invalid multibulk length'],
      ['*-9223372036854775809\r\n', 'invalid multibulk length'],
      ['*1\r\nx\r\n', "expected '$', got 'x'"],
      ['*1\r\n\xff\r\n', "expected '$', got '\xff'"],
      ['*1\r\n$\r\n', 'invalid bulk length'],
      ['*1\r\n$-1\r\n', 'invalid bulk length'],
      ['*1\r\n$04\r\n', 'invalid bulk length'],
      ['*1\r\n$536870913\r\n', 'invalid bulk length'],
      ['*1\r\n$9223372036854775808\r\n', 'invalid bulk length'],
      ['"a\n', 'unbalanced quotes in request'],
      ['"a"b\n', 'unbalanced quotes in request'],
      ["'a\n", 'unbalanced quotes in request'],
      [`*${'1'.repeat(65_536)}`, 'too big mbulk count string'],
      [`*1\r\n$${'1'.repeat(65_536)}`, 'too big bulk count string'],
      ['x'.repeat(65_537), 'too big inline request'],
      [`*\0${'1'.repeat(65_535)}`, 'too big mbulk count string'],
    ]),
  )('%s', (_name, input, what) => {
    expect(frame([bytes(input)])).toMatchObject({ commands: [], error: `ERR Protocol error: ${what}` });
  });

  it.each(['*-1\r\n', '*0\r\n', '*-9223372036854775808\r\n', '\r\n'])('%j is an empty frame', (input) => {
    const framed = frame([bytes(`${input}*1\r\n$4\r\nPING\r\n`)]);
    expect(framed).toMatchObject({ commands: [['PING']], error: null, left: 0 });
  });

  it.each(
    named([
      [`*${'1'.repeat(65_535)}`],
      [`*1\r\n$${'1'.repeat(65_535)}`],
      ['x'.repeat(65_536)],
      ['*1\0\r\n'],
      ['PI\0NG\r\n'],
      ['*1\r\nx'],
      ['*1\r\nx\r'],
    ]),
  )('%s is incomplete', (_name, input) => {
    expect(frame([bytes(input)])).toMatchObject({ error: null, commands: [] });
  });

  it('is told with what came before it', () => {
    expect(frame([bytes('PING\r\n*1\r\n!')])).toMatchObject({ commands: [['PING']], error: null });
    expect(frame([bytes('PING\r\n*1\r\n!\r\n')])).toMatchObject({ commands: [['PING']], error: expect.any(String) });
  });

  it('ends at limits of its own', () => {
    const limits = { ...LIMITS, maxArgs: 3, maxBulkLength: 100, maxInlineLength: 10 };
    expect(frame([bytes('*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n')], limits).error).toBeNull();
    expect(frame([bytes('*12\r\n')], limits).error).toContain('invalid multibulk length');
    expect(frame([request(['x'.repeat(100)])], limits).error).toBeNull();
    expect(frame([request(['x'.repeat(101)])], limits).error).toContain('invalid bulk length');
    expect(frame([bytes('0123456789\n')], limits).commands).toHaveLength(1);
    expect(frame([bytes('01234567890\n')], limits).error).toContain('too big inline request');
  });
});

describe('before authentication', () => {
  it('takes 10 arguments of 16,384 bytes, and no more', () => {
    const words = (count: number, length: number) => [request(Array(count).fill('x'.repeat(length)))];
    expect(frame(words(10, 16_384), UNAUTHENTICATED).commands).toHaveLength(1);
    expect(frame(words(11, 1), UNAUTHENTICATED).error).toBe('ERR Protocol error: unauthenticated multibulk length');
    expect(frame(words(1, 16_385), UNAUTHENTICATED).error).toBe('ERR Protocol error: unauthenticated bulk length');
    expect(frame([bytes('*1\r\n$200000\r\n')], UNAUTHENTICATED).error).toContain('unauthenticated bulk length');
  });

  it('takes inline commands of more words, as Redis does', () => {
    expect(frame([bytes(`PING ${'a '.repeat(20)}\r\n`)], UNAUTHENTICATED).commands[0]).toHaveLength(21);
  });

  it('takes more as soon as the limit is lifted', () => {
    const framer = new RequestFramer({ ...UNAUTHENTICATED });
    const buffer = request(['AUTH', 'x'.repeat(20_000)]);
    expect(framer.next(buffer, 0, buffer.length)).toBe(MALFORMED);
    framer.limits.authenticated = true;
    expect(framer.next(buffer, 0, buffer.length)).toBe(COMPLETE);
  });
});

describe('in pieces', () => {
  const SAMPLES: [string][] = [
    ['*2\r\n$3\r\nGET\r\n$16\r\nkey:000000012345\r\n*0\r\n*-1\r\n*1\r\n$0\r\n\r\n'],
    [`*12\r\n${'$1\r\na\r\n'.repeat(12)}*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$120\r\n${'\r\n'.repeat(60)}\r\n`],
    ['PING\r\n*1\r\n$4\r\nPING\r\n\r\n  \n echo "a b" \'c\'\n*1\r\n$4\r\nPINGxxPING\n'],
    ['*1\rX$4\rYPINGab*1\r\n$4\r\nPING\r\n'],
    ['*1\r\n$4\r\nPING\r\n*1\r\n$x\r\n'],
    ['PING\r\n*1\r\n+4\r\n'],
    ['PING\r\necho "a\r\n'],
    ['PING\n*1 \r\n'],
  ];

  it.each(named(SAMPLES))('%s cut at every byte, and at every two bytes', (_name, sample) => {
    const buffer = bytes(sample);
    const whole = frame([buffer]);
    expect(frame(singleBytes(buffer))).toEqual(whole);
    for (let a = 0; a <= buffer.length; a++) {
      for (let b = a; b <= buffer.length; b += a % 7 === 0 ? 1 : 13) expect(frame(cut(buffer, [a, b]))).toEqual(whole);
    }
  });

  it('any bytes that look like the protocol give the same, however they are cut', () => {
    const token = fc.oneof(
      fc.constantFrom('*1\r\n', '*2\r\n', '*10\r\n', '$4\r\n', '$1\r\n', '$0\r\n', '$12\r\n', 'PING', 'x', '\r\n'),
      fc.constantFrom('\r', '\n', '"', "'", '\\', '\\x41', ' ', '*', '$', '-', '0', '1', '\0', '\v', '\xff'),
      fc
        .array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 12 })
        .map((words) => request(words).toString('latin1')),
    );
    const stream = fc.array(token, { maxLength: 30 }).map((tokens) => bytes(tokens.join('')));
    fc.assert(
      fc.property(stream, fc.array(fc.nat(2000), { maxLength: 8 }), fc.boolean(), (buffer, offsets, authenticated) => {
        const limits = { ...LIMITS, maxInlineLength: 24, authenticated };
        const whole = frame([buffer], limits);
        expect(frame(cut(buffer, offsets), limits)).toEqual(whole);
        expect(frame(singleBytes(buffer), limits)).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });

  it('any words come out as they went in', () => {
    const words = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(words, { maxLength: 6 }), fc.array(fc.nat(5000), { maxLength: 6 }), (commands, offsets) => {
        const buffer = Buffer.concat(commands.map((command) => request(command)));
        const framed = frame(cut(buffer, offsets));
        expect(framed.commands).toEqual(
          commands.map((command) => command.map((w) => Buffer.from(w).toString('latin1'))),
        );
        expect(framed.forwarded.join('')).toBe(buffer.toString('latin1'));
      }),
    );
  });
});

describe('work', () => {
  it('reads a byte of a frame that comes byte by byte a few times at most', () => {
    const frames = [
      request(Array.from({ length: 3000 }, (_, i) => `argument ${i}`)),
      bytes(`echo ${'x'.repeat(20_000)}\r\n`),
      bytes(`*${'0'.repeat(20_000)}\r\n`),
      request(['SET', 'k', 'x'.repeat(20_000)]),
    ];
    for (const buffer of frames) {
      const { counted, reads } = countReads(buffer);
      const framer = new RequestFramer(LIMITS);
      for (let end = 1; end <= buffer.length; end++) framer.next(counted, 0, end);
      // Before it goes on, it looks at what it stopped at; that, and not the frame's length, is what a piece costs.
      expect(reads()).toBeLessThan(buffer.length * 8);
    }
  });
});

/** The words of a frame that comes in pieces into one buffer, as a large frame does. */
function framedInOneBuffer(pieces: readonly Buffer[]): string[] {
  const buffer = Buffer.concat(pieces);
  const framer = new RequestFramer(LIMITS);
  let end = 0;
  for (const piece of pieces) {
    end += piece.length;
    if (framer.next(buffer, 0, end) === COMPLETE) break;
  }
  return Array.from({ length: framer.argc }, (_, i) => buffer.toString('latin1', args.start[i], args.end[i]));
}
