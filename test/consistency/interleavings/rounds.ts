/** Rounds of random commands of several clients on a few keys, which are on several nodes, and what they were answered. */
import { decodeReply, type ReplyValue } from '../../../src/resp/decode.js';
import { Random } from '../../fuzz/random.js';
import type { RawClient } from '../../support/raw-client.js';
import type { Told } from './search.js';
import { list, NIL } from './store.js';

const KINDS = ['s', 'l', 'e', 'z', 'p'] as const;
type Kind = (typeof KINDS)[number];
const KEYS = 4;
const MEMBERS = 3;
const COMMANDS = 3;
/** Milliseconds that a command waits. */
const WAIT = '0.005';

/** Replies whose elements have no order. */
const UNORDERED = new Set(['SMEMBERS', 'SUNION', 'SINTER']);

/** What tells everything about a key. */
const READ: Readonly<Record<Kind, string[]>> = {
  s: ['GET'],
  l: ['LRANGE', '0', '-1'],
  e: ['SMEMBERS'],
  z: ['ZRANGE', '0', '-1'],
  p: ['PFCOUNT'],
};

export class Rounds {
  readonly #clients: readonly RawClient[];
  readonly #random: Random;
  #value = 0;

  /** @param clients each of its own connection, to any proxy */
  constructor(clients: readonly RawClient[], seed: number) {
    this.#clients = clients;
    this.#random = new Random(seed);
  }

  /** Runs one, on keys without values. @returns what each client was told; the last one has looked at what became of it */
  async run(): Promise<Told[][]> {
    const kind = this.#random.pick(KINDS);
    const [first] = this.#clients as [RawClient];
    await first.command('FLUSHALL');
    const clock = { now: 0 };
    const before = keysOf(kind).flatMap((key) => (this.#random.chance(60) ? [this.#filling(kind, key)] : []));
    const filled = await telling(first, before, clock);
    const plans = this.#clients.map(() => Array.from({ length: COMMANDS }, () => this.#command(kind)));
    const told = await Promise.all(this.#clients.map((client, i) => telling(client, plans[i] as string[][], clock)));
    const looks = keysOf(kind).map((key) => [READ[kind][0] as string, key, ...READ[kind].slice(1)]);
    const looked = await telling(first, looks, clock);
    return [[...filled, ...(told[0] as Told[]), ...looked], ...told.slice(1)];
  }

  #command(kind: Kind): string[] {
    const random = this.#random;
    const key = (): string => `${kind}:${random.below(KEYS)}`;
    const two = (): string[] => {
      const at = random.below(KEYS);
      return [`${kind}:${at}`, `${kind}:${(at + 1 + random.below(KEYS - 1)) % KEYS}`];
    };
    const three = (): string[] => {
      const [a = '', b = ''] = two();
      return [a, b, random.pick(keysOf(kind).filter((one) => one !== a && one !== b))];
    };
    const value = (): string => `v${++this.#value}`;
    const member = (): string => String(random.below(MEMBERS));
    const side = (): string => random.pick(['LEFT', 'RIGHT']);
    if (random.chance(25)) {
      return random.pick<() => string[]>([
        () => ['RENAME', ...two()],
        () => ['RENAME', ...two()],
        () => ['RENAMENX', ...two()],
        () => ['COPY', ...two()],
        () => ['COPY', ...two(), 'REPLACE'],
        () => ['DEL', key()],
        () => ['DEL', ...two()],
      ])();
    }
    const makes: Readonly<Record<Kind, readonly (() => string[])[]>> = {
      s: [
        () => ['MSETNX', ...two().flatMap((one) => [one, value()])],
        () => ['MSETNX', ...two().flatMap((one) => [one, value()])],
        () => ['MSET', ...two().flatMap((one) => [one, value()])],
        () => ['MGET', ...three()],
        () => ['BITOP', 'OR', ...three()],
        () => ['SET', key(), value()],
        () => ['APPEND', key(), 'a'],
        () => ['GETDEL', key()],
        () => ['GET', key()],
      ],
      l: [
        () => ['LMOVE', ...two(), side(), side()],
        () => ['LMOVE', ...two(), side(), side()],
        () => ['LMPOP', '2', ...two(), 'LEFT'],
        () => ['BLPOP', ...two(), WAIT],
        () => [random.pick(['LPUSH', 'RPUSH']), key(), value()],
        () => [random.pick(['LPOP', 'RPOP']), key()],
        () => ['LRANGE', key(), '0', '-1'],
      ],
      e: [
        () => ['SMOVE', ...two(), member()],
        () => ['SMOVE', ...two(), member()],
        () => [random.pick(['SUNIONSTORE', 'SDIFFSTORE']), ...three()],
        () => [random.pick(['SUNION', 'SINTER']), ...two()],
        () => ['SADD', key(), member()],
        () => ['SREM', key(), member()],
        () => ['SMEMBERS', key()],
      ],
      z: [
        () => ['ZMPOP', '2', ...two(), 'MIN'],
        () => {
          const [target = '', ...sources] = three();
          return ['ZUNIONSTORE', target, '2', ...sources, 'AGGREGATE', 'MAX'];
        },
        () => ['ZRANGESTORE', ...two(), '0', '1'],
        () => ['ZPOPMIN', key()],
        () => this.#filling(kind, key()),
        () => ['ZREM', key(), member()],
        () => ['ZRANGE', key(), '0', '-1'],
      ],
      p: [
        () => ['PFMERGE', ...three()],
        () => ['PFCOUNT', ...three()],
        () => ['PFADD', key(), member()],
        () => ['PFCOUNT', key()],
      ],
    };
    return random.pick(makes[kind])();
  }

  /** A command that gives the key something. */
  #filling(kind: Kind, key: string): string[] {
    const member = String(this.#random.below(MEMBERS));
    switch (kind) {
      case 's':
        return ['SET', key, `v${++this.#value}`];
      case 'l':
        return ['RPUSH', key, `v${++this.#value}`, `v${++this.#value}`];
      case 'e':
        return ['SADD', key, member];
      case 'z':
        return ['ZADD', key, member, member];
      case 'p':
        return ['PFADD', key, member];
    }
  }
}

/** Every key that rounds may use. */
export function allKeys(): string[] {
  return KINDS.flatMap(keysOf);
}

/** For people: what was told, in the order in which it began. */
export function storyOf(clients: readonly (readonly Told[])[]): string {
  return clients
    .flatMap((told, i) => told.map((one) => ({ ...one, client: i })))
    .sort((a, b) => a.begunAt - b.begunAt)
    .map(
      ({ client, begunAt, endedAt, words, reply }) =>
        `${begunAt}–${endedAt} client ${client}: ${words.join(' ')} → ${reply}`,
    )
    .join('\n');
}

function keysOf(kind: Kind): string[] {
  return Array.from({ length: KEYS }, (_, i) => `${kind}:${i}`);
}

async function telling(client: RawClient, plan: readonly string[][], clock: { now: number }): Promise<Told[]> {
  const told: Told[] = [];
  for (const words of plan) {
    const begunAt = clock.now++;
    const reply = canonical(words, await client.command(...words));
    told.push({ words, reply, begunAt, endedAt: clock.now++ });
  }
  return told;
}

/** As the store's model says it: lists within lists are one, and what has no order is sorted. */
function canonical([name = '']: readonly string[], reply: Buffer): string {
  if (/^[-+:]/.test(reply.toString('latin1', 0, 1))) return reply.toString('latin1').trimEnd();
  const value = decodeReply(reply)?.value;
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (!Array.isArray(value)) return NIL;
  const texts = flat(value).map((one) => (Buffer.isBuffer(one) ? one.toString('latin1') : NIL));
  return list(UNORDERED.has(name) ? texts.sort() : texts);
}

function flat(values: readonly ReplyValue[]): ReplyValue[] {
  return values.flatMap((value) => (Array.isArray(value) ? flat(value) : [value]));
}
