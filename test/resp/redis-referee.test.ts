/**
 * The real redis-server is the referee: a client's bytes sent to it, and the frames that the framer makes of
 * them, give the same replies and the same protocol error.
 */
import net from 'node:net';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { error, request } from '../../src/resp/encode.js';
import type { RequestLimits } from '../../src/resp/request-framer.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { bytes, frame, LIMITS, named } from './support.js';

let redis: RedisProcess;
let locked: RedisProcess;

beforeAll(async () => {
  [redis, locked] = await Promise.all([startRedis(), startRedis({ args: ['--requirepass', 'secret'] })]);
});

/** All that the server answers to these bytes, behind which the client's side is closed. */
async function answers(server: RedisProcess, input: Buffer): Promise<string> {
  const socket = net.connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  // The server does not read what follows a protocol error.
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('end', () => socket.destroy());
  socket.end(input);
  await closed;
  return Buffer.concat(received).toString('latin1');
}

async function expectSame(server: RedisProcess, input: Buffer, limits: RequestLimits): Promise<void> {
  const framed = frame([input], limits);
  const direct = await answers(server, input);
  const forwarded = bytes(framed.forwarded.join(''));
  const failure = framed.error === null ? '' : error(framed.error, 'latin1').toString('latin1');
  expect((await answers(server, forwarded)) + failure, JSON.stringify(input.toString('latin1'))).toBe(direct);
}

const ping = '*1\r\n$4\r\nPING\r\n';
const long = (prefix: string, length: number) => prefix + '1'.repeat(length - prefix.length);

/** What follows tells whether the bytes before it were taken as a whole frame. */
const NUMBERS = [
  ...['0', '1', '-1', '-0', '00', '01', '+1', ' 1', '1 ', '', '-', 'x', '1x', '0x1', '1.0', '1e1', '\t1', '1\n'],
  ...['1048576', '1048577', '2147483647', '2147483648', '4294967297', '-2147483649', '999999999999999999'],
  ...['9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809'],
  ...['99999999999999999999', '-99999999999999999999', '536870912', '536870913', '16384', '16385', '10', '11'],
  ...['1\0', '\0', '\x001', '\xff'],
];

const INLINE_WORDS = [
  ...['ECHO a', 'ECHO  a ', 'ECHO\ta', 'ECHO\va', 'ECHO a\vb', 'ECHO a\fb', 'ECHO a\rb', 'ECHO "a"\vb', 'ECHO "a"\fb'],
  ...[
    'ECHO "a b"',
    "ECHO 'a b'",
    'ECHO a"b"',
    'ECHO "a"b',
    'ECHO "a""b"',
    'ECHO a"b c"d',
    'ECHO ""',
    "ECHO ''",
    'ECHO "',
  ],
  ...["ECHO '", "ECHO 'a\\'b'", "ECHO 'a\\nb'", "ECHO '\\", 'ECHO "\\', 'ECHO "\\"', 'ECHO "\\""', 'ECHO "\\\\"'],
  ...[
    'ECHO "\\x41"',
    'ECHO "\\xfF"',
    'ECHO "\\x4"',
    'ECHO "\\x"',
    'ECHO "\\xg1"',
    'ECHO \\x41',
    'ECHO "\\x00"',
    'ECHO "\\X41"',
  ],
  ...[
    'ECHO "\\n\\r\\t\\b\\a"',
    'ECHO "\\v\\f\\q\\0"',
    'ECHO \\n',
    'ECHO a\0b',
    '\0',
    '\0ECHO a',
    'ECHO "a\0"',
    'ECHO \xff',
    '\vPING',
  ],
  ...[
    'PING\v',
    '\r',
    '\r\r',
    ' ',
    '\t',
    '',
    '"PING"',
    "'PING'",
    'PING"',
    '$4',
    '+OK',
    '-ERR',
    'ECHO "\xe9"',
    'ECHO \x80\xa0',
  ],
];

const CASES: [string][] = [
  ...NUMBERS.map((number): [string] => [`${ping}*${number}\r\n$4\r\nPING\r\n`]),
  ...NUMBERS.map((number): [string] => [`${ping}*1\r\n$${number}\r\nP\r\n${ping}`]),
  ...INLINE_WORDS.flatMap((words): [string][] => [[`${words}\r\n${ping}`], [`PING\r\n${words}\nPING\r\n`], [words]]),
  // Every byte in place of a `$`.
  ...Array.from({ length: 256 }, (_, byte): [string] => [`*1\r\n${String.fromCharCode(byte)}4\r\nPING\r\n`]),
  // Line ends that are none.
  ...[
    `*1\rX$4\rYPINGab${ping}`,
    '*1\n$4\nPING\n',
    '*1\r\n$4\nPING\r\n',
    `*1\r\n$4\r\nPINGxx${ping}`,
    '*1\r\r$4\r\nPING\r\n',
  ].map((text): [string] => [text]),
  ...[
    '*1\r\n$4\r\rPING\r\n',
    '*1',
    '*1\r',
    '*1\r\n$4',
    '*1\r\n$4\r',
    '*1\r\n$4\r\nPING',
    '*1\r\n$4\r\nPING\r',
    '*',
  ].map((text): [string] => [text]),
  // Lines at the limit: not ended, and ended within it.
  ...[long('*', 65_536), long('*', 65_537), long('*1\r\n$', 65_540), long('*1\r\n$', 65_541)].map((text): [string] => [
    text,
  ]),
  ...[long('E', 65_536), long('E', 65_537), `${long('ECHO ', 65_535)}\r\n`, `${long('ECHO ', 65_536)}\n`].map(
    (text): [string] => [text],
  ),
];

describe('bytes that a client may send', () => {
  it.each(named(CASES))('%s', async (_name, input) => {
    await expectSame(redis, bytes(input), LIMITS);
  });
});

describe('before authentication', () => {
  const limits = { ...LIMITS, authenticated: false };
  const auth = 'x'.repeat(16_384);

  it.each(
    named([
      ...NUMBERS.map((number): [string] => [`${ping}*${number}\r\n$4\r\nPING\r\n`]),
      ...NUMBERS.map((number): [string] => [`${ping}*1\r\n$${number}\r\nP\r\n${ping}`]),
      [request(Array(10).fill('a')).toString()],
      [request(Array(11).fill('a')).toString()],
      [request(['AUTH', auth]).toString()],
      // Without the payload: what a server has not read when it closes may cost its last reply.
      ['*2\r\n$4\r\nAUTH\r\n$16385\r\n'],
    ]),
  )('%s', async (_name, input) => {
    await expectSame(locked, bytes(input), limits);
  });
});

describe('random streams', () => {
  it('of frames, whole, cut and corrupted, inline and multibulk, are taken as Redis takes them', async () => {
    const word = fc.oneof(
      fc.constantFrom('PING', 'ECHO', 'echo', 'a', ''),
      fc.uint8Array({ maxLength: 30 }).map((word) => Buffer.from(word).toString('latin1')),
    );
    const whole = fc
      .array(word, { maxLength: 5 })
      .map((words) => request(words.map((text) => bytes(text))).toString('latin1'));
    const inline = fc
      .array(fc.constantFrom('PING', 'ECHO', ' ', '"', "'", '\\', '\\x4', '1', 'n', '\v', '\t', '\r', '\xff'), {
        maxLength: 8,
      })
      .map((words) => `${words.join('')}\r\n`);
    const broken = fc
      .tuple(whole, fc.nat(), fc.constantFrom('', '0', '-', '$', '*', '\r', '\n', '9', ' ', '\0'))
      .map(([text, at, change]) => {
        const offset = at % (text.length + 1);
        return text.slice(0, offset) + change + text.slice(offset + 1);
      });
    const stream = fc
      .array(fc.oneof(whole, inline, broken), { minLength: 1, maxLength: 6 })
      .map((texts) => texts.join(''));
    await fc.assert(
      fc.asyncProperty(stream, async (text) => {
        await expectSame(redis, bytes(text), LIMITS);
      }),
      { numRuns: 1500 },
    );
  });
});
