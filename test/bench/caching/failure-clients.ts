/**
 * Clients of one caching type at one proxy of several: readers, and a writer that numbers the versions of its keys, so
 * that of each reply it is known whether a later version had been acknowledged when it was asked for. Each looks at one
 * key at a time and at even distances, whether it is answered or not; who loses its proxy goes to the next one.
 */
import { RawClient } from '../../support/raw-client.js';

const READERS = 2;
/** Between two reads of a reader, and two writes of a writer. */
export const EVERY_MS = 50;
const ERROR_BYTE = 0x2d;

interface Served {
  readonly host: string;
  readonly port: number;
}

/** What became of the reads that were due. */
export interface Tally {
  right: number;
  /** A later version was acknowledged before they were sent; also where there was none any more. */
  stale: number;
  /** Answered with an error, or the proxy was not there. */
  refused: number;
  /** Due while the one before was not answered yet. */
  waited: number;
  /** Milliseconds since a later version was acknowledged: the longest. */
  longest: number;
}

/** The versions of keys that their writers have had acknowledged. */
export class Versions {
  readonly #known = new Map<string, { version: number; at: number }[]>();

  acknowledged(key: string, version: number): void {
    const known = this.#known.get(key) ?? [];
    this.#known.set(key, known);
    known.push({ version, at: performance.now() });
  }

  latest(key: string): number {
    return this.#known.get(key)?.at(-1)?.version ?? 0;
  }

  /** @returns for how long a later version had been acknowledged when this one was asked for; 0: none had */
  lateBy(key: string, version: number, sentAt: number): number {
    const later = this.#known.get(key)?.find((one) => one.version > version);
    return later === undefined ? 0 : Math.max(0, sentAt - later.at);
  }

  get keys(): string[] {
    return [...this.#known.keys()];
  }
}

export class FailureClients {
  readonly #proxies: readonly Served[];
  readonly #first: number;
  readonly #own: readonly string[];
  readonly #all: readonly string[];
  readonly #versions: Versions;
  readonly #loops: Promise<void>[] = [];
  readonly #clients = new Set<RawClient>();
  /** The last version of each key that was sent. */
  readonly #attempts = new Map<string, number>();
  /** When the reads, and the writes, were sent that are not answered. */
  readonly #asked = new Set<number>();
  readonly #told = new Set<number>();
  #countedSince = 0;
  #running = true;
  /** Null: nothing is counted now. */
  #tally: Tally | null = null;
  #writes = { acknowledged: 0, due: 0 };

  /**
   * @param first the index of their proxy
   * @param own keys that their writer writes
   * @param all keys that readers read
   */
  constructor(
    proxies: readonly Served[],
    first: number,
    own: readonly string[],
    all: readonly string[],
    versions: Versions,
  ) {
    this.#proxies = proxies;
    this.#first = first;
    this.#own = own;
    this.#all = all;
    this.#versions = versions;
  }

  start(): void {
    for (let i = 0; i < READERS; i++) this.#loops.push(this.#loop((client) => this.#read(client)));
    this.#loops.push(this.#loop((client) => this.#write(client)));
  }

  /** From now on it is counted anew. */
  count(): void {
    this.#countedSince = performance.now();
    this.#tally = noReads();
    this.#writes = { acknowledged: 0, due: 0 };
  }

  /** @returns what was counted, which is no more */
  counted(): { readonly reads: Tally; readonly writes: { readonly acknowledged: number; readonly due: number } } {
    const reads = this.#tally ?? noReads();
    this.#tally = null;
    for (const sentAt of this.#asked) reads.waited += missedSince(Math.max(sentAt, this.#countedSince));
    const writes = { ...this.#writes };
    for (const sentAt of this.#told) writes.due += missedSince(Math.max(sentAt, this.#countedSince));
    return { reads, writes };
  }

  async stop(): Promise<void> {
    this.#running = false;
    for (const client of this.#clients) client.close();
    await Promise.all(this.#loops);
  }

  /** @param act its errors end the connection */
  async #loop(act: (client: RawClient | null) => Promise<void>): Promise<void> {
    let proxy = this.#first;
    let client: RawClient | null = null;
    while (this.#running) {
      const begun = performance.now();
      if (client === null) {
        const { host, port } = this.#proxies[proxy] as Served;
        client = await RawClient.connect(port, host).catch(() => null);
        if (client !== null) this.#clients.add(client);
      }
      await act(client).catch(() => {
        client?.close();
        if (client !== null) this.#clients.delete(client);
        client = null;
        proxy = (proxy + 1) % this.#proxies.length;
      });
      const pause = EVERY_MS - ((performance.now() - begun) % EVERY_MS);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #read(client: RawClient | null): Promise<void> {
    const key = this.#all[Math.floor(Math.random() * this.#all.length)] as string;
    const sentAt = performance.now();
    this.#asked.add(sentAt);
    const reply = await client?.command('GET', key).catch(() => undefined);
    this.#asked.delete(sentAt);
    const tally = this.#tally;
    if (tally !== null) tally.waited += missedSince(Math.max(sentAt, this.#countedSince));
    if (reply === undefined || reply[0] === ERROR_BYTE) {
      if (tally !== null) tally.refused++;
      if (reply === undefined) throw new Error('the proxy is gone');
      return;
    }
    if (tally === null) return;
    const late = this.#versions.lateBy(key, versionOf(reply), sentAt);
    if (late === 0) tally.right++;
    else {
      tally.stale++;
      tally.longest = Math.max(tally.longest, late);
    }
  }

  async #write(client: RawClient | null): Promise<void> {
    const key = this.#own[Math.floor(Math.random() * this.#own.length)] as string;
    const version = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, version);
    const sentAt = performance.now();
    this.#told.add(sentAt);
    const reply = await client?.text('SET', key, String(version)).catch(() => undefined);
    this.#told.delete(sentAt);
    this.#writes.due += 1 + missedSince(Math.max(sentAt, this.#countedSince));
    if (reply === '+OK\r\n') {
      this.#versions.acknowledged(key, version);
      this.#writes.acknowledged++;
    }
    if (reply === undefined) throw new Error('the proxy is gone');
  }
}

function noReads(): Tally {
  return { right: 0, stale: 0, refused: 0, waited: 0, longest: 0 };
}

/** @returns how many further commands were due since */
function missedSince(begun: number): number {
  return Math.floor((performance.now() - begun) / EVERY_MS);
}

/** @returns the version that GET has answered; 0: there is none, NaN: it has answered an error */
export function versionOf(reply: Buffer): number {
  if (reply[0] === ERROR_BYTE) return Number.NaN;
  const [, text = ''] = reply.toString('latin1').split('\r\n');
  return Number(text);
}
