import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeReply, ReplyError, type ReplyValue } from '../../src/resp/decode.js';
import * as encode from '../../src/resp/encode.js';
import { anyReply } from './replies.js';
import { bytes } from './support.js';

function decoded(reply: string): ReplyValue | undefined {
  return decodeReply(bytes(reply))?.value;
}

const b = (text: string) => Buffer.from(text);

describe('decodeReply', () => {
  it.each<[string, ReplyValue]>([
    ['+OK\r\n', 'OK'],
    [':-12\r\n', -12],
    [':9223372036854775807\r\n', 9223372036854775807n],
    ['(12345678901234567890\r\n', 12345678901234567890n],
    [',1.5\r\n', 1.5],
    [',-inf\r\n', -Infinity],
    [',nan\r\n', Number.NaN],
    ['#t\r\n', true],
    ['#f\r\n', false],
    ['_\r\n', null],
    ['$-1\r\n', null],
    ['*-1\r\n', null],
    ['$3\r\na\r\n\r\n', b('a\r\n')],
    ['$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n', b('abc')],
    ['=7\r\ntxt:abc\r\n', 'abc'],
    ['-ERR no\r\n', new ReplyError('ERR no')],
    ['!6\r\nERR no\r\n', new ReplyError('ERR no')],
    ['*2\r\n:1\r\n*1\r\n_\r\n', [1, [null]]],
    ['*?\r\n:1\r\n:2\r\n.\r\n', [1, 2]],
    ['>1\r\n+x\r\n', ['x']],
    ['~2\r\n:1\r\n:2\r\n', new Set([1, 2])],
    ['%1\r\n+a\r\n:1\r\n', new Map([['a', 1]])],
    ['%?\r\n+a\r\n:1\r\n.\r\n', new Map([['a', 1]])],
    ['*2\r\n|1\r\n+ttl\r\n:1\r\n:7\r\n:8\r\n', [7, 8]],
  ])('%j', (reply, value) => {
    expect(decodeReply(bytes(`+before\r\n${reply}+behind\r\n`), 9)).toEqual({ value, next: 9 + reply.length });
  });

  it('tells what is incomplete from what is no reply', () => {
    expect(decodeReply(bytes('*2\r\n:1\r\n'))).toBeNull();
    expect(() => decodeReply(bytes('hello'))).toThrow(RangeError);
    expect(() => decodeReply(bytes('(x\r\n'))).toThrow(RangeError);
  });

  it('reads any reply, and all of it', () => {
    fc.assert(
      fc.property(anyReply, (reply) => {
        expect(decodeReply(bytes(reply))?.next).toBe(reply.length);
      }),
    );
  });

  it('reads back what is encoded, in both protocols', () => {
    for (const protocol of [2, 3] as const) {
      const three = protocol === 3;
      const cases: [Buffer, ReplyValue][] = [
        [encode.simpleString('hi'), 'hi'],
        [encode.OK, 'OK'],
        [encode.PONG, 'PONG'],
        [encode.EMPTY_ARRAY, []],
        [encode.error('ERR a\r\nb\r\n'), new ReplyError('ERR a  b')],
        [encode.integer(-5), -5],
        [encode.bulk('é'), b('é')],
        [encode.bulk(Uint8Array.of(0, 255)), Buffer.from([0, 255])],
        [encode.nullBulk(protocol), null],
        [encode.nullArray(protocol), null],
        [encode.array([encode.integer(1), encode.bulk('x')]), [1, b('x')]],
        [encode.map([[encode.simpleString('a'), encode.integer(1)]], protocol), three ? new Map([['a', 1]]) : ['a', 1]],
        [encode.set([encode.integer(1)], protocol), three ? new Set([1]) : [1]],
        [encode.push([encode.integer(1)], protocol), [1]],
        [encode.double(1.5, protocol), three ? 1.5 : b('1.5')],
        [encode.double(-Infinity, protocol), three ? -Infinity : b('-inf')],
        [encode.double(Number.NaN, protocol), three ? Number.NaN : b('nan')],
        [encode.boolean(true, protocol), three ? true : 1],
        [encode.boolean(false, protocol), three ? false : 0],
        [encode.verbatim('é', protocol), three ? 'é' : b('é')],
      ];
      for (const [reply, value] of cases) expect(decodeReply(reply)).toEqual({ value, next: reply.length });
    }
  });

  it('compares errors by their text', () => {
    expect(decoded('-ERR a\r\n')).not.toEqual(new ReplyError('ERR b'));
  });
});
