/**
 * Clients whose commands belong together: transactions, compare-and-set, queues with blocking pops, streams with
 * consumer groups, channels. Each flow knows what must come out, whatever becomes of the ring meanwhile.
 */
import { request } from '../../src/resp/encode.js';
import { RawClient } from '../support/raw-client.js';
import type { Target } from './checker.js';

/** Something that runs until it is told to stop, and then says what was wrong. */
export interface Flow {
  start(): void;
  /** @returns violations; none when all was well */
  stop(): Promise<string[]>;
  /** How much was done: a flow that does nothing proves nothing. */
  readonly done: number;
}

const bulks = (reply: string): string[] => [...reply.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map((match) => match[1] ?? '');

abstract class Runner implements Flow {
  readonly #proxies: readonly Target[];
  #connects = 0;
  protected readonly wrong: string[] = [];
  protected running = true;
  #runs: Promise<void>[] = [];
  done = 0;

  /** @param proxies its clients are spread over them */
  constructor(proxies: readonly Target[]) {
    this.#proxies = proxies;
  }

  protected abstract loops(): (() => Promise<void>)[];
  /** Called when all loops have ended. */
  protected abstract check(client: RawClient): Promise<void>;

  start(): void {
    this.#runs = this.loops().map((loop) =>
      loop().catch((error: unknown) => {
        this.running = false;
        this.wrong.push(String(error));
      }),
    );
  }

  async stop(): Promise<string[]> {
    this.running = false;
    await Promise.all(this.#runs);
    const client = await this.connect();
    await this.check(client);
    client.close();
    return this.wrong.slice(0, 5);
  }

  protected connect(): Promise<RawClient> {
    const { host, port } = this.#proxies[this.#connects++ % this.#proxies.length] as Target;
    return RawClient.connect(port, host);
  }

  protected expect(what: string, found: string, expected: string): void {
    if (found !== expected) this.wrong.push(`${what}: ${found} instead of ${expected}`);
  }
}

const TAGS = 30;

/** MULTI keeps two counters equal; WATCH lets no increment of a third one get lost. */
export class Transactions extends Runner {
  readonly #increments = new Array<number>(TAGS).fill(0);
  conflicts = 0;

  protected loops(): (() => Promise<void>)[] {
    return Array.from({ length: 6 }, (_, id) => async () => {
      const client = await this.connect();
      for (let i = id; this.running; i++) await (i % 2 === 0 ? this.#both(client, i) : this.#compareAndSet(client, i));
    });
  }

  async #both(client: RawClient, i: number): Promise<void> {
    const tag = `{tx:${(i * 7) % TAGS}}`;
    const replies = await client.pipeline([['MULTI'], ['INCR', `${tag}a`], ['INCR', `${tag}b`], ['EXEC']]);
    const [, first, second] = /^\*2\r\n:(\d+)\r\n:(\d+)\r\n$/.exec(String(replies[3])) ?? [];
    if (first === undefined || first !== second) this.wrong.push(`EXEC: ${String(replies[3])}`);
    this.done++;
  }

  async #compareAndSet(client: RawClient, i: number): Promise<void> {
    const at = (i * 11) % TAGS;
    const key = `{tx:${at}}c`;
    await client.command('WATCH', key);
    const before = Number(bulks(await client.text('GET', key))[0] ?? 0);
    const replies = await client.pipeline([['MULTI'], ['SET', key, String(before + 1)], ['EXEC']]);
    const outcome = String(replies[2]);
    if (outcome === '*1\r\n+OK\r\n') this.#increments[at] = (this.#increments[at] ?? 0) + 1;
    else if (outcome === '*-1\r\n') this.conflicts++;
    else this.wrong.push(`EXEC after WATCH: ${outcome}`);
    this.done++;
  }

  protected async check(client: RawClient): Promise<void> {
    for (let at = 0; at < TAGS; at++) {
      const count = this.#increments[at] ?? 0;
      const found = bulks(await client.text('GET', `{tx:${at}}c`))[0] ?? '0';
      this.expect(`counter ${at} behind WATCH`, found, String(count));
    }
  }
}

/** What every queue here has: each element that was put in comes out once. */
abstract class Queues extends Runner {
  protected readonly put: string[] = [];
  protected readonly taken: string[] = [];

  protected take(reply: string, position: number): void {
    const element = bulks(reply)[position];
    if (element !== undefined) this.taken.push(element);
    else if (reply !== '*-1\r\n' && reply !== '$-1\r\n') this.wrong.push(`pop: ${reply}`);
  }

  protected compare(): void {
    const times = new Map<string, number>();
    for (const element of this.taken) times.set(element, (times.get(element) ?? 0) + 1);
    for (const element of this.put) {
      const count = times.get(element) ?? 0;
      if (count !== 1) this.wrong.push(`${element} came out ${count} times`);
    }
    if (times.size > this.put.length) this.wrong.push('something came out that nobody put in');
  }
}

/** Lists and sorted sets with BLPOP, BRPOP, BLMOVE and BZPOPMIN. */
export class BlockingPops extends Queues {
  #sequence = 0;

  protected loops(): (() => Promise<void>)[] {
    const producers = Array.from({ length: 3 }, () => async () => {
      const client = await this.connect();
      while (this.running) {
        const number = this.#sequence++;
        const element = `element:${number}`;
        const queue = number % 20;
        this.put.push(element);
        if (number % 4 === 3) await client.command('ZADD', `{q:${queue}}z`, String(number), element);
        else await client.command('RPUSH', `{q:${queue}}l`, element);
        this.done++;
        // The load's pace: consumers are to wait now and then.
        if (number % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
    // One waits at each queue, and some at two of them: nearly all of them wait nearly always.
    const consumers = Array.from({ length: 40 }, (_, id) => async () => {
      const client = await this.connect();
      const tag = `{q:${id % 20}}`;
      while (this.running) await this.#pop(client, tag, id);
    });
    return [...producers, ...consumers];
  }

  async #pop(client: RawClient, tag: string, id: number): Promise<void> {
    switch (id % 4) {
      case 0:
        return this.take(await client.text('BLPOP', `${tag}none`, `${tag}l`, '0.4'), 1);
      case 1:
        return this.take(await client.text('BRPOP', `${tag}l`, '0.4'), 1);
      case 2:
        return this.take(await client.text('BZPOPMIN', `${tag}z`, '0.4'), 1);
      default: {
        const reply = await client.text('BLMOVE', `${tag}l`, `${tag}moved`, 'LEFT', 'RIGHT', '0.4');
        this.take(reply, 0);
      }
    }
  }

  protected async check(client: RawClient): Promise<void> {
    for (let queue = 0; queue < 20; queue++) {
      this.taken.push(...bulks(await client.text('LRANGE', `{q:${queue}}l`, '0', '-1')));
      this.taken.push(...bulks(await client.text('ZRANGE', `{q:${queue}}z`, '0', '-1')));
    }
    this.compare();
  }
}

/** Streams with consumer groups: each entry is delivered once, and nothing stays pending. */
export class Streams extends Queues {
  readonly #streams = Array.from({ length: 12 }, (_, i) => `stream:${i}`);
  #sequence = 0;
  #producing = 0;

  protected loops(): (() => Promise<void>)[] {
    const begun = this.#createGroups();
    const producers = Array.from({ length: 2 }, () => async () => {
      await begun;
      this.#producing++;
      const client = await this.connect();
      while (this.running) {
        const number = this.#sequence++;
        this.put.push(`entry:${number}`);
        const stream = this.#streams[number % this.#streams.length] ?? '';
        const reply = await client.text('XADD', stream, '*', 'f', `entry:${number}`);
        if (!/^\$\d+\r\n\d+-\d+\r\n$/.test(reply)) this.wrong.push(`XADD: ${reply}`);
        this.done++;
        // The load's pace: consumers are to wait now and then.
        if (number % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      this.#producing--;
    });
    const consumers = Array.from({ length: 24 }, (_, id) => async () => {
      await begun;
      const client = await this.connect();
      const stream = this.#streams[id % this.#streams.length] ?? '';
      for (;;) {
        const last = !this.running && this.#producing === 0;
        const reply = await client.text(
          'XREADGROUP',
          'GROUP',
          'g',
          `c${id}`,
          'COUNT',
          '5',
          'BLOCK',
          '300',
          'STREAMS',
          stream,
          '>',
        );
        if (reply.startsWith('-')) this.wrong.push(`XREADGROUP: ${reply}`);
        const ids: string[] = [];
        for (const text of bulks(reply)) {
          if (/^\d+-\d+$/.test(text)) ids.push(text);
          if (text.startsWith('entry:')) this.taken.push(text);
        }
        if (ids.length > 0) this.expect('XACK', await client.text('XACK', stream, 'g', ...ids), `:${ids.length}\r\n`);
        else if (last) break;
      }
    });
    return [...producers, ...consumers];
  }

  async #createGroups(): Promise<void> {
    const client = await this.connect();
    for (const stream of this.#streams) await client.command('XGROUP', 'CREATE', stream, 'g', '0', 'MKSTREAM');
    client.close();
  }

  protected async check(client: RawClient): Promise<void> {
    this.compare();
    for (const stream of this.#streams) {
      const reply = await client.text('XPENDING', stream, 'g');
      if (!reply.startsWith('*4\r\n:0\r\n')) this.wrong.push(`pending in ${stream}: ${reply}`);
    }
  }
}

/** Channels: each subscriber hears each message once, and each channel's in order. */
export class Channels extends Runner {
  readonly #channels = Array.from({ length: 16 }, (_, i) => `channel:${i}`);
  readonly #published = new Map<string, number>();
  readonly #heard: Map<string, number>[] = [];

  protected loops(): (() => Promise<void>)[] {
    const subscribed = Promise.all([0, 1, 2, 3].map((id) => this.#subscribe(id)));
    return this.#channels.map((channel) => async () => {
      await subscribed;
      const client = await this.connect();
      let number = 0;
      while (this.running) {
        const reply = await client.text('PUBLISH', channel, String(number++));
        if (!reply.startsWith(':')) this.wrong.push(`PUBLISH: ${reply}`);
        this.#published.set(channel, number);
        this.done++;
      }
    });
  }

  async #subscribe(id: number): Promise<void> {
    const client = await this.connect();
    if (id % 2 === 0) {
      client.send(request(['SUBSCRIBE', ...this.#channels]));
      await client.replies(this.#channels.length);
    } else await client.command('PSUBSCRIBE', 'channel:*');
    const heard = new Map<string, number>();
    this.#heard.push(heard);
    const listen = async (): Promise<void> => {
      for (;;) {
        const [frame] = await client.replies(1);
        const [channel = '', text = ''] = bulks(String(frame)).slice(-2);
        const next = heard.get(channel) ?? 0;
        if (Number(text) !== next) this.wrong.push(`${channel}: heard ${text} where ${next} was next`);
        heard.set(channel, Number(text) + 1);
      }
    };
    listen().catch(() => {});
  }

  protected async check(): Promise<void> {
    const all = (): boolean =>
      this.#heard.every((heard) =>
        this.#channels.every((channel) => heard.get(channel) === this.#published.get(channel)),
      );
    for (let i = 0; i < 1500 && !all(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
    if (!all()) this.wrong.push('not everything was heard');
  }
}
