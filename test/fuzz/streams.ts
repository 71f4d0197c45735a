/** Random byte streams as a client might send them: valid, cut, corrupted, inline, with absurd counts. */
import { createHash } from 'node:crypto';
import { request } from '../../src/resp/encode.js';
import type { Random } from './random.js';

const KEYS = ['a', 'b', 'c', 'list', 'hash', 'set', '{t}1', '{t}2', 'key with space', ''];
const NUMBERS = [
  '0',
  '1',
  '-1',
  '10',
  '007',
  '+1',
  ' 1',
  '1 ',
  '1.5',
  'x',
  '',
  '99999999999999999999',
  '-0',
  '2147483648',
];

/** Of `return #KEYS`, of a script that is sometimes loaded, and what is no digest. */
const DIGESTS = [
  createHash('sha1').update('return #KEYS').digest('hex'),
  createHash('sha1').update('return 1').digest('hex').toUpperCase(),
  'x'.repeat(40),
  'x',
];

/** Commands whose replies depend on nothing but the data. */
function randomCommand(random: Random): (string | Uint8Array)[] {
  const key = (): string => random.pick(KEYS);
  const value = (): string | Uint8Array =>
    random.chance(20) ? random.bytes(random.below(200)) : `v${random.below(50)}`;
  const word = random.pick<() => (string | Uint8Array)[]>([
    () => ['SET', key(), value()],
    () => ['GET', key()],
    () => ['get', key(), key()],
    () => ['INCR', key()],
    () => ['APPEND', key(), value()],
    () => ['DEL', key(), key()],
    () => ['EXISTS', key(), key(), key()],
    () => ['MSET', key(), value(), key(), value()],
    () => ['MSET', key(), value(), key()],
    () => ['MGET', key(), key(), key()],
    () => ['LPUSH', 'list', value(), value()],
    () => ['LRANGE', 'list', random.pick(NUMBERS), random.pick(NUMBERS)],
    () => ['HSET', 'hash', value(), value()],
    () => ['HGET', 'hash', value()],
    () => ['SADD', 'set', value()],
    () => ['SCARD', 'set'],
    () => ['STRLEN', key()],
    // No expiry that could come due while the streams run: two servers do not expire in the same instant.
    () => ['EXPIRE', key(), random.pick(['0', '-1', '007', 'x', '', '2147483648', '99999999999999999999'])],
    () => ['PING'],
    () => ['PING', value()],
    () => ['ECHO', value()],
    () => ['SELECT', random.pick(NUMBERS)],
    () => ['TYPE', key()],
    () => ['NOSUCH', value(), value()],
    () => [value(), value()],
    () => ['CLIENT', 'GETNAME'],
    () => ['CLIENT', 'SETNAME', value()],
    () => ['CLIENT', value()],
    () => ['HELLO', random.pick(NUMBERS)],
    () => ['SETRANGE', key(), random.pick(['0', '5', '-1', 'x']), value()],
    () => ['OBJECT', 'ENCODING', key()],
    () => ['COPY', '{t}1', '{t}2'],
    () => ['EVAL', 'return #KEYS', random.pick(NUMBERS), key()],
    () => ['EVALSHA', random.pick(DIGESTS), random.pick(NUMBERS), key()],
    () => ['SCRIPT', 'LOAD', random.pick(['return #KEYS', 'return 1', 'nonsense('])],
    () => ['SCRIPT', random.pick(['EXISTS', 'KILL', 'nosuch']), random.pick(DIGESTS)],
    () => ['FCALL', value(), random.pick(NUMBERS), key()],
    () => ['FUNCTION', random.pick(['DELETE', 'LIST', 'KILL', 'nosuch']), value()],
    () => ['SORT', 'list', random.pick(['ALPHA', 'BY', 'GET', 'STORE', 'LIMIT']), random.pick(['#', 'a', '1', 'w_*'])],
    () => ['COPY', key(), key(), random.pick(['DB', 'REPLACE', 'x']), random.pick(NUMBERS)],
    () => ['MOVE', key(), random.pick(NUMBERS)],
    () => ['RENAME', key(), key()],
    () => ['LMOVE', 'list', key(), random.pick(['LEFT', 'x']), 'RIGHT'],
    () => ['LMPOP', random.pick(NUMBERS), 'list', random.pick(['LEFT', 'x'])],
    () => ['SINTERCARD', random.pick(NUMBERS), 'set', key()],
    () => ['ZUNIONSTORE', key(), random.pick(NUMBERS), 'set', key()],
    () => ['XADD', key(), random.pick(['1-1', '5-*', '0-0', 'x']), 'f', value()],
    () => ['XREAD', random.pick(['COUNT', 'x']), '1', 'STREAMS', key(), key(), random.pick(['0', '$', 'x']), '0'],
    () => ['GEORADIUS', key(), '1', '1', '1', 'm', random.pick(['STORE', 'COUNT', 'x']), random.pick(['a', '1'])],
    () => ['OBJECT', random.pick(['REFCOUNT', 'ENCODING', 'nosuch']), key()],
    () => ['BITOP', random.pick(['AND', 'NOT', 'x']), key(), key()],
    () => ['RESTORE', key(), random.pick(NUMBERS), value()],
    () => ['MULTI'],
    () => ['EXEC'],
    () => ['DISCARD'],
    () => ['WATCH', key()],
  ]);
  return word();
}

/** A frame with a header, a length or an end that is not as it should be. */
function brokenFrame(random: Random): Buffer {
  const number = random.pick(NUMBERS);
  return random.pick<() => Buffer>([
    () => Buffer.from(`*${number}\r\n$4\r\nPING\r\n`),
    () => Buffer.from(`*1\r\n$${number}\r\nPING\r\n`),
    () => Buffer.from(`*2\r\n$3\r\nGET\r\n$${number}\r\na\r\n`),
    () => Buffer.from('*1\r\nPING\r\n'),
    () => Buffer.from('*1\r\n:4\r\nPING\r\n'),
    () =>
      Buffer.from(`*${random.pick(['1048577', '1000000000', '2147483647', '2147483648', '9223372036854775807'])}\r\n`),
    () => Buffer.from(`*1\r\n$${random.pick(['536870913', '1000000000', '9223372036854775807'])}\r\n`),
    () => Buffer.from('*-1\r\n*0\r\n\r\n'),
    () => Buffer.from('*\r\n'),
    () => Buffer.from('$4\r\nPING\r\n'),
    () => Buffer.from('*1\n$4\nPING\n'),
    () => Buffer.from('*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n'),
    () => random.bytes(1 + random.below(60)),
  ])();
}

function inlineCommand(random: Random): Buffer {
  const key = random.pick(KEYS);
  return Buffer.from(
    random.pick([
      `PING\r\n`,
      `PING\n`,
      `  get   ${key}  \r\n`,
      `set ${random.pick(['a', 'b'])} "quoted \\x41\\n value"\r\n`,
      `set a 'it\\'s'\r\n`,
      `set a "unbalanced\r\n`,
      `set a "x"y\r\n`,
      `echo ""\r\n`,
      `\r\n\r\n`,
      `exists a b c\r\n`,
      `nosuch "a b" c\r\n`,
      `\t ping \r\n`,
    ]),
  );
}

/** One stream; the same seed makes the same stream. */
export function randomStream(random: Random): Buffer {
  const pieces: Buffer[] = [];
  const count = 1 + random.below(8);
  for (let i = 0; i < count; i++) {
    if (random.chance(70)) pieces.push(Buffer.from(request(randomCommand(random))));
    else if (random.chance(60)) pieces.push(inlineCommand(random));
    else pieces.push(brokenFrame(random));
  }
  let stream = Buffer.concat(pieces);
  if (random.chance(20)) stream = stream.subarray(0, random.below(stream.length + 1));
  if (random.chance(15) && stream.length > 0) {
    stream = Buffer.from(stream);
    for (let i = 1 + random.below(3); i > 0; i--) stream[random.below(stream.length)] = random.below(256);
  }
  return stream;
}

/** The pieces in which a stream is sent. */
export function randomCuts(random: Random, stream: Buffer): Buffer[] {
  if (random.chance(50)) return [stream];
  const pieces: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const length = 1 + random.below(random.chance(50) ? 8 : 100);
    pieces.push(stream.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
