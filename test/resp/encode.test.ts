import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyBytes, equalsIgnoreCase } from '../../src/resp/bytes.js';
import * as encode from '../../src/resp/encode.js';
import { bulkIsNull, parseHeader, parseIntegerLine } from '../../src/resp/inspect.js';
import { parseStrictInteger } from '../../src/resp/integer.js';
import { lastingBytes, wordsOf } from '../../src/resp/words.js';
import { bytes } from './support.js';

const written = (write: (target: Buffer) => number) => {
  const target = Buffer.alloc(40, '~');
  return target.toString('latin1', 3, write(target));
};

describe('numbers', () => {
  it('are written as JavaScript writes them', () => {
    const natural = fc.oneof(
      fc.maxSafeNat(),
      fc.nat(),
      fc.nat(300),
      fc.integer({ min: 0, max: 15 }).map((n) => 10 ** n),
    );
    fc.assert(
      fc.property(natural, (n) => {
        expect(encode.decimalLength(n)).toBe(String(n).length);
        expect(written((target) => encode.writeArrayHeader(target, 3, n))).toBe(`*${n}\r\n`);
        expect(written((target) => encode.writeBulkHeader(target, 3, n))).toBe(`$${n}\r\n`);
        expect(written((target) => encode.writeInteger(target, 3, n))).toBe(`:${n}\r\n`);
        expect(written((target) => encode.writeInteger(target, 3, -n))).toBe(`:${n === 0 ? 0 : -n}\r\n`);
        expect(parseIntegerLine(encode.integer(-n), 0, 99)).toBe(0 - n);
      }),
    );
  });

  it.each<[string, number]>([
    [':12\r\n', 12],
    [':-12\r\n', -12],
    ['*0\r\n', 0],
    ['$-1\r\n', -1],
    [':\r\n', Number.NaN],
    [':x\r\n', Number.NaN],
    ['*?\r\n', Number.NaN],
  ])('%j is read as %d, in front of what follows', (line, value) => {
    const header = { value: 0, next: 0 };
    const buffer = bytes(`..${line}+x\r\n`);
    parseHeader(buffer, 2, buffer.length, header);
    expect(header).toEqual({ value, next: 2 + line.length });
    expect(parseIntegerLine(buffer, 2, buffer.length)).toBe(value);
  });

  it('end with the bytes', () => {
    const header = { value: 0, next: 0 };
    parseHeader(bytes(':123'), 0, 3, header);
    expect(header).toEqual({ value: 12, next: 3 });
  });

  it.each<[string, number]>([
    ['0', 0],
    ['7', 7],
    ['-7', -7],
    ['9223372036854775807', 2 ** 63],
    ['-9223372036854775808', -(2 ** 63)],
    ['9223372036854775808', Number.NaN],
    ['-9223372036854775809', Number.NaN],
    ['9999999999999999999', Number.NaN],
    ['10000000000000000000', Number.NaN],
    ['', Number.NaN],
    ['-', Number.NaN],
    ['-0', Number.NaN],
    ['00', Number.NaN],
    ['01', Number.NaN],
    ['+1', Number.NaN],
    [' 1', Number.NaN],
    ['1 ', Number.NaN],
    ['1a', Number.NaN],
  ])('%j is %d by the strict grammar', (text, value) => {
    const buffer = bytes(`1${text}1`);
    const parsed = parseStrictInteger(buffer, 1, 1 + text.length);
    // The largest are rounded.
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) expect(parsed / value).toBeCloseTo(1, 12);
    else expect(parsed).toBe(value);
  });
});

describe('replies', () => {
  it('tell nil from others by their first bytes', () => {
    for (const nil of ['$-1\r\n', '*-1\r\n', '_\r\n']) expect(bulkIsNull(bytes(`..${nil}`), 2)).toBe(true);
    for (const other of ['$0\r\n\r\n', '*0\r\n', ':-1\r\n', '+-1\r\n']) {
      expect(bulkIsNull(bytes(`..${other}`), 2)).toBe(false);
    }
  });

  it('of errors are one line, in the encoding that is asked for', () => {
    expect(encode.error("ERR expected '$', got '\n'").toString()).toBe("-ERR expected '$', got ' '\r\n");
    expect(encode.error('ERR got \xff', 'latin1').toString('latin1')).toBe('-ERR got \xff\r\n');
    expect(encode.error('ERR é').toString()).toBe('-ERR é\r\n');
  });

  it('and requests are multibulk frames', () => {
    expect(encode.request(['SET', Uint8Array.of(0xff), '']).toString('latin1')).toBe(
      '*3\r\n$3\r\nSET\r\n$1\r\n\xff\r\n$0\r\n\r\n',
    );
    expect(encode.request(['GET', 'é', Buffer.alloc(100, 'x')]).toString()).toBe(
      `*3\r\n$3\r\nGET\r\n$2\r\né\r\n$100\r\n${'x'.repeat(100)}\r\n`,
    );
  });

  it('and many requests are their frames one behind the other', () => {
    const frames = [['GET', 'a'], [], ['SET', Buffer.from('é'), 'x'.repeat(70)]];
    expect(encode.requests(frames)).toEqual(Buffer.concat(frames.map(encode.request)));
    expect(encode.requests([])).toHaveLength(0);
  });
});

describe('bytes', () => {
  it('are copied, whatever their number and the kind of their source', () => {
    const source = Uint8Array.from({ length: 300 }, (_, i) => i);
    const lasting = lastingBytes(300);
    lasting.set(source);
    for (let length = 0; length < 200; length++) {
      const expected = Buffer.concat([
        Buffer.alloc(5, 1),
        source.subarray(7, 7 + length),
        Buffer.alloc(215 - length, 1),
      ]);
      for (const from of [source, Buffer.from(source), lasting]) {
        for (const target of [Buffer.alloc(220), lastingBytes(220)]) {
          target.fill(1);
          copyBytes(target, wordsOf(target), 5, from, 7, 7 + length);
          expect(target.equals(expected)).toBe(true);
        }
      }
    }
  });

  it('are compared without regard to case', () => {
    const get = bytes('get');
    for (const word of ['get', 'GET', 'gEt']) expect(equalsIgnoreCase(bytes(`x${word}x`), 1, 4, get)).toBe(true);
    for (const word of ['gets', 'ge', 'got', 'GE\x14']) {
      expect(equalsIgnoreCase(bytes(`x${word}x`), 1, 1 + word.length, get)).toBe(false);
    }
    // Not letters, though they differ by the bit that makes the case.
    expect(equalsIgnoreCase(bytes('@'), 0, 1, bytes('`'))).toBe(false);
  });
});
