import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { request } from '../../src/resp/encode.js';
import { ReplyFramer } from '../../src/resp/reply-framer.js';
import { anyReply, skipReply, typeBehindAttributes } from './replies.js';
import { bytes, countReads, cut, singleBytes } from './support.js';

/** The replies in a stream that comes in `pieces`, with their types; 'malformed' when it is no such stream. */
function split(pieces: readonly Buffer[]): { replies: string[]; types: string; left: string } | 'malformed' {
  const framer = new ReplyFramer();
  const replies: string[] = [];
  let types = '';
  let reply = '';
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const next = framer.advance(piece, at, piece.length);
      if (next < 0) return 'malformed';
      if (!framer.complete && next !== piece.length) throw new Error('an incomplete reply takes all bytes');
      reply += piece.toString('latin1', at, next);
      if (framer.complete) {
        replies.push(reply);
        types += String.fromCharCode(framer.type);
        reply = '';
      }
      at = next;
    }
  }
  return { replies, types, left: reply };
}

const REPLIES: [string][] = [
  ['+OK\r\n'],
  ['+\r\n'],
  ['-ERR no\r\n'],
  [':-12\r\n'],
  ['$5\r\nhello\r\n'],
  ['$0\r\n\r\n'],
  ['$-1\r\n'],
  ['*-1\r\n'],
  ['*0\r\n'],
  ['*2\r\n$1\r\na\r\n$-1\r\n'],
  ['*3\r\n*0\r\n*1\r\n*-1\r\n:1\r\n'],
  ['_\r\n'],
  ['#t\r\n'],
  [',1.5e10\r\n'],
  ['(123456789012345678901234567890\r\n'],
  ['!5\r\nERR x\r\n'],
  ['=7\r\ntxt:abc\r\n'],
  ['%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n'],
  ['~2\r\n:1\r\n:2\r\n'],
  ['>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n'],
  ['$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n'],
  ['$?\r\n;0\r\n'],
  ['*?\r\n:1\r\n*?\r\n.\r\n$?\r\n;1\r\na\r\n;0\r\n.\r\n'],
  ['%?\r\n+a\r\n~?\r\n:1\r\n.\r\n.\r\n'],
  ['*2\r\n%?\r\n.\r\n:1\r\n'],
];

const BEHIND_ATTRIBUTES: [string][] = [
  ['|1\r\n+ttl\r\n:3600\r\n$1\r\na\r\n'],
  ['|1\r\n+k\r\n*1\r\n:1\r\n+OK\r\n'],
  ['|0\r\n:1\r\n'],
  ['|1\r\n+a\r\n+b\r\n|1\r\n+c\r\n+d\r\n%0\r\n'],
  ['|1\r\n|1\r\n+a\r\n+b\r\n+c\r\n+d\r\n*1\r\n:1\r\n'],
  ['*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n'],
  ['|1\r\n+a\r\n$3\r\nabc\r\n>1\r\n+x\r\n'],
];

const MALFORMED = [
  ...['x', '\r\n', '\0', ';1\r\na\r\n', '.\r\n', '$\r\n', '$x\r\n', '$-2\r\n', '$-\r\n', '$-01\r\n', '$1 \r\n'],
  ...['$+1\r\n', '$1\rX', '$-1\rX', '+OK\rX', '*\r\n', '*x', '*-2\r\n', '%-1\r\n', '~-1\r\n', '>-1\r\n', '|-1\r\n'],
  ...['!-1\r\n', '=-1\r\n', '!?\r\n', '>?\r\n', '|?\r\n', '$?1\r\n', '$1?\r\n', '$-?\r\n', '$?\r\n+a\r\n'],
  ...['$?\r\n;-1\r\n', '$?\r\n;?\r\n', '*1\r\n.\r\n', '*?\r\n.1\r\n', '%1\r\n+a\r\n.\r\n', `$${'1'.repeat(16)}\r\n`],
  ...['*1\r\nx', '*?\r\n*1\r\n.\r\n', '*1\r\n'.repeat(65_537)],
];

describe('replies', () => {
  it.each([...REPLIES, ...BEHIND_ATTRIBUTES])('%j, cut anywhere, is one reply', (reply) => {
    const buffer = bytes(`${reply}+next\r\n${reply}`);
    const expected = {
      replies: [reply, '+next\r\n', reply],
      types: `${typeBehindAttributes(reply)}+${typeBehindAttributes(reply)}`,
      left: '',
    };
    expect(split([buffer])).toEqual(expected);
    expect(split(singleBytes(buffer))).toEqual(expected);
    for (let a = 0; a < buffer.length; a++) {
      for (let b = a; b < buffer.length; b++) expect(split(cut(buffer, [a, b]))).toEqual(expected);
    }
  });

  it.each(BEHIND_ATTRIBUTES)('%j has the type that stands behind its attributes', (reply) => {
    const framer = new ReplyFramer();
    const buffer = bytes(reply);
    framer.advance(buffer, 0, buffer.length);
    expect(framer.type).toBe(typeBehindAttributes(reply).charCodeAt(0));
  });

  it('may be nested as deep as a script can build them', () => {
    const buffer = bytes(`${'*1\r\n'.repeat(20_000)}:1\r\n`);
    expect(split([buffer])).toMatchObject({ replies: [buffer.toString()] });
    expect(split(singleBytes(buffer))).toMatchObject({ replies: [buffer.toString()] });
  });

  it('of a large count need no room, and are not complete before their end', () => {
    expect(split([bytes('*999999999999999\r\n+a\r\n')])).toMatchObject({ replies: [] });
    expect(split([bytes('$536870912\r\nabc')])).toMatchObject({ replies: [] });
  });

  it('tell what a bulk still lacks', () => {
    const framer = new ReplyFramer();
    const buffer = bytes('*2\r\n$100\r\nabc');
    framer.advance(buffer, 0, buffer.length);
    expect(framer.bulkRemaining).toBe(99);
    framer.advance(buffer, 0, 9);
    expect(framer.bulkRemaining).toBe(90);
    const rest = bytes(`${'x'.repeat(90)}$`);
    framer.advance(rest, 0, rest.length);
    expect(framer.bulkRemaining).toBe(0);
    framer.reset();
    expect(split([bytes('+OK\r\n')])).toMatchObject({ replies: ['+OK\r\n'] });
  });

  it('are not complete where nothing came', () => {
    const framer = new ReplyFramer();
    const buffer = bytes('+OK\r\n');
    framer.advance(buffer, 0, buffer.length);
    expect(framer.complete).toBe(true);
    expect(framer.advance(buffer, 3, 3)).toBe(3);
    expect(framer.complete).toBe(false);
  });

  it('and requests are told apart by their ends alone: a request frame is an array of bulks', () => {
    const buffer = request(['SET', 'key', 'x'.repeat(1000)]);
    expect(split(cut(buffer, [5, 30, 500]))).toMatchObject({ replies: [buffer.toString()], types: '*' });
  });
});

describe('malformed replies', () => {
  it.each(MALFORMED.map((reply) => [JSON.stringify(reply).slice(0, 40), reply]))('%s', (_name, reply) => {
    const buffer = bytes(`+OK\r\n${reply}`);
    expect(split([buffer])).toBe('malformed');
    expect(split(singleBytes(buffer))).toBe('malformed');
  });

  it('are forgotten: the framer begins anew', () => {
    const framer = new ReplyFramer();
    const bad = bytes('*2\r\n$?\r\nx');
    expect(framer.advance(bad, 0, bad.length)).toBe(-1);
    const good = bytes(':1\r\n');
    expect(framer.advance(good, 0, good.length)).toBe(4);
    expect(framer.complete).toBe(true);
  });
});

describe('work', () => {
  it.each([
    ['a line', `+${'x'.repeat(20_000)}\r\n`],
    ['a bulk', `$20000\r\n${'x'.repeat(20_000)}\r\n`],
    ['an array', `*2000\r\n${'$3\r\nabc\r\n'.repeat(2000)}`],
    ['deep nesting', `${'*2\r\n:1\r\n'.repeat(1024)}:1\r\n`],
  ])('on %s that comes byte by byte is a few reads a byte', (_name, reply) => {
    const { counted, reads } = countReads(bytes(reply));
    const framer = new ReplyFramer();
    for (let at = 0; at < reply.length; at++) framer.advance(counted, at, at + 1);
    expect(framer.complete).toBe(true);
    expect(reads()).toBeLessThan(reply.length * 4);
  });
});

describe('properties', () => {
  it('random nested replies end where a recursive parser says, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(anyReply, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(9999)), (replies, offsets) => {
        for (const reply of replies) {
          const parser = { text: reply, at: 0 };
          skipReply(parser);
          expect(parser.at).toBe(reply.length);
        }
        const buffer = bytes(replies.join(''));
        const expected = { replies, types: replies.map(typeBehindAttributes).join(''), left: '' };
        expect(split([buffer])).toEqual(expected);
        expect(split(cut(buffer, offsets))).toEqual(expected);
        expect(split(singleBytes(buffer))).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('corrupted bytes give the same, however they are cut', () => {
    const byte = fc.constantFrom(...'+-:$*%~>|;.?_#,(!=01\r\nx'.split(''));
    const corrupted = fc
      .tuple(anyReply, fc.array(fc.tuple(fc.nat(), byte), { maxLength: 3 }))
      .map(([reply, changes]) => {
        let text = reply;
        for (const [at, to] of changes)
          text = text.slice(0, at % text.length) + to + text.slice((at % text.length) + 1);
        return bytes(text);
      });
    fc.assert(
      fc.property(corrupted, fc.array(fc.nat(9999)), (buffer, offsets) => {
        const whole = split([buffer]);
        expect(split(cut(buffer, offsets))).toEqual(whole);
        expect(split(singleBytes(buffer))).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });
});
