/** Clients that read and write keys of near groups in every way that there is, and look at each reply. */
import { decodeReply, type ReplyValue } from '../../../src/resp/decode.js';
import { Random } from '../../fuzz/random.js';
import { RawClient } from '../../support/raw-client.js';
import { Model, Sight } from './model.js';

/** Keys of each kind that a client writes. */
const KEYS = 2;
const TTLS = [1, 2, 5, 20, 100, 400, 1000, 2000];
const DIGITS = 8;
const ERROR_BYTE = 0x2d;
const FLUSHES_ONE_IN = 2500;

type Kind = 's' | 'h' | 't';

interface Step {
  readonly words: readonly string[];
  /** What the reply is looked at for. */
  readonly on: (reply: ReplyValue, sentAt: number, now: number) => void;
  readonly onError?: (now: number) => void;
}

export interface CheckedOptions {
  readonly ports: () => readonly number[];
  readonly clients: number;
  readonly seed: number;
  readonly pauseMs: number;
  /** Whether they flush everything now and then, which others on the same nodes would not expect. */
  readonly flushes: boolean;
}

/** The versions of all keys, which their writers count. */
export class Checked {
  readonly model = new Model();
  readonly #options: CheckedOptions;
  readonly #versions = new Map<string, number>();
  #running = true;
  #loops: Promise<void>[] = [];

  constructor(options: CheckedOptions) {
    this.#options = options;
  }

  start(): void {
    for (let i = 0; i < this.#options.clients; i++) this.#loops.push(this.#loop(i));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #loop(client: number): Promise<void> {
    const random = new Random(this.#options.seed * 1000 + client);
    for (let connection = 0; this.#running; connection++) {
      const ports = this.#options.ports();
      const raw = await RawClient.connect(ports[(client + connection) % ports.length] as number).catch(() => null);
      if (raw === null) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        continue;
      }
      const sight = new Sight(`client ${client}.${connection}`, this.model);
      try {
        if (client % 3 === 0) await raw.command('HELLO', '3');
        while (this.#running) {
          const steps = Array.from({ length: 1 + random.below(6) }, () => this.#step(client, random, sight)).flat();
          const sentAt = performance.now();
          const replies = await raw.pipeline(steps.map(({ words }) => words));
          const now = performance.now();
          for (const [i, reply] of replies.entries()) {
            const value = decodeReply(reply)?.value;
            if (reply[0] === ERROR_BYTE) steps[i]?.onError?.(now);
            else if (value !== undefined) steps[i]?.on(value, sentAt, now);
          }
          if (this.#options.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#options.pauseMs));
        }
      } catch {
        // Its worker was killed: what it had sent has run or not.
      }
      raw.close();
    }
  }

  #step(client: number, random: Random, sight: Sight): Step[] {
    if (this.#options.flushes && random.below(FLUSHES_ONE_IN) === 0) return [this.#flush(sight)];
    const kind = random.pick(['s', 's', 'h', 't'] as const);
    if (random.below(40) === 0) {
      const key = keyOf(kind, client, random.below(KEYS));
      const write = this.#write(key, kind, random, sight);
      return random.below(2) === 0 ? write : [...write, ...this.#read(key, kind, random, sight)];
    }
    return this.#read(keyOf(kind, random.below(this.#options.clients), random.below(KEYS)), kind, random, sight);
  }

  #read(key: string, kind: Kind, random: Random, sight: Sight): Step[] {
    const take =
      (which: string, how: string) =>
      (reply: ReplyValue, sentAt: number): void =>
        sight.read(which, versionOf(reply), sentAt, how, which.includes(':t'));
    if (kind === 'h') {
      const field = random.pick(['a', 'b']);
      if (random.below(4) > 0) return [{ words: ['HGET', key, field], on: take(key, 'HGET') }];
      return [
        {
          words: ['HMGET', key, 'a', 'b'],
          on: (reply, sentAt) => eachOf(reply, (one) => take(key, 'HMGET')(one, sentAt)),
        },
      ];
    }
    const how = random.below(80);
    if (how < 56) return [{ words: [random.pick(['GET', 'get']), key], on: take(key, 'GET') }];
    if (how < 72) {
      const other = keyOf('s', random.below(this.#options.clients), random.below(KEYS));
      const keys = [key, other, key];
      const on = (reply: ReplyValue, sentAt: number): void =>
        eachOf(reply, (one, i) => take(keys[i] as string, 'MGET')(one, sentAt));
      return [{ words: ['MGET', ...keys], on }];
    }
    if (how < 77) return [{ words: ['GETRANGE', key, '0', '-1'], on: take(key, 'GETRANGE') }];
    if (how === 77) {
      return [{ words: ['EVAL', 'return redis.call("get", KEYS[1])', '1', key], on: take(key, 'EVAL') }];
    }
    return [
      { words: ['MULTI'], on: () => {} },
      { words: ['GET', key], on: () => {} },
      { words: ['EXEC'], on: (reply, sentAt) => eachOf(reply, (one) => take(key, 'EXEC')(one, sentAt)) },
    ];
  }

  #flush(sight: Sight): Step {
    const flush = this.model.flush(performance.now());
    return {
      words: ['FLUSHALL'],
      on: (_reply, sentAt, now) => {
        flush.answeredAt = now;
        flush.acknowledgedAt = now;
        sight.flushed(sentAt);
      },
      onError: (now) => {
        flush.answeredAt = now;
      },
    };
  }

  #write(key: string, kind: Kind, random: Random, sight: Sight): Step[] {
    const version = (this.#versions.get(key) ?? 0) + 1;
    this.#versions.set(key, version);
    const text = String(version).padStart(DIGITS, '0');
    const ttl = kind === 't' ? random.pick(TTLS) : 0;
    const on = (_reply: ReplyValue, sentAt: number, now: number): void => {
      this.model.acknowledged(key, version, ttl, now);
      sight.wrote(key, version, sentAt);
    };
    if (kind === 'h') return [{ words: ['HSET', key, 'a', text, 'b', text], on }];
    if (kind === 't') {
      if (random.below(2) === 0) return [{ words: ['SET', key, text, 'PX', String(ttl)], on }];
      return [{ words: ['PSETEX', key, String(ttl), text], on }];
    }
    const other = `${key}:tmp`;
    switch (random.below(6)) {
      case 0:
        return [{ words: ['MSET', key, text, `other:${key}`, text], on }];
      case 1:
        return [{ words: ['EVAL', 'return redis.call("set", KEYS[1], ARGV[1])', '1', key, text], on }];
      case 2:
        return [
          { words: ['MULTI'], on: () => {} },
          { words: ['SET', other, text], on: () => {} },
          { words: ['RENAME', other, key], on: () => {} },
          { words: ['EXEC'], on },
        ];
      case 3:
        return [{ words: ['GETSET', key, text], on }];
      case 4:
        return [{ words: ['SETRANGE', key, '0', text], on }];
      default:
        return [{ words: ['SET', key, text], on }];
    }
  }
}

/** Those of one client's index are on one node, with what is renamed to them. */
function keyOf(kind: Kind, client: number, index: number): string {
  return `near:${kind}:{${client}.${index}}`;
}

function versionOf(reply: ReplyValue): number {
  return Buffer.isBuffer(reply) ? Number(reply.toString()) : 0;
}

function eachOf(reply: ReplyValue, look: (one: ReplyValue, index: number) => void): void {
  if (Array.isArray(reply)) for (const [i, one] of reply.entries()) look(one, i);
}
