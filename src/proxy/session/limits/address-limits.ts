/**
 * How much clients of one address may do: connections, commands and bytes a second. What is over a rate is not refused:
 * the sockets are not read until it is less. Each process counts its own clients.
 */
import { Bucket } from '../../../time/bucket.js';
import type { LimitCounts } from '../../measure/counters.js';
import type { DataPlaneOptions } from '../../options.js';
import { addressKey } from './address-key.js';

type Rates = Pick<DataPlaneOptions, 'maxClientsPerAddress' | 'commandsPerAddress' | 'bytesPerAddress'>;

/** A client, as those are who may have to wait. */
export interface LimitedClient {
  /** It is not to wait any longer. */
  resumeSoon(): void;
  readonly closed: boolean;
}

/** How often it is looked whether debts are paid. Milliseconds. */
const WAKE_MS = 10;
/** Without clients an address is remembered while it has not recovered; so many of them at most. */
const MOST_RECOVERING = 65_536;

export class AddressLimits {
  readonly #rates: Rates;
  readonly #now: () => number;
  readonly #addresses = new Map<string, Address>();
  /** Those without clients, the oldest first. */
  readonly #recovering = new Map<string, Address>();
  readonly #waiting = new Set<Address>();
  #timer: NodeJS.Timeout | null = null;
  readonly #counts: LimitCounts;

  /**
   * @param rates read when they are needed: they may become others
   * @param counts counts how often each limit was reached
   * @param now milliseconds
   */
  constructor(rates: Rates, counts: LimitCounts, now: () => number) {
    this.#rates = rates;
    this.#counts = counts;
    this.#now = now;
  }

  /** @returns what the client is counted by; null: nothing is limited; `full`: its address has as many as it may have */
  enter(remoteAddress: string | undefined): Address | null | 'full' {
    const { maxClientsPerAddress: most } = this.#rates;
    // Whoever comes by a Unix socket has no address.
    if (remoteAddress === undefined || (most === 0 && !this.#hasRates)) return null;
    const key = addressKey(remoteAddress);
    const address = this.#addresses.get(key) ?? this.#recovering.get(key) ?? new Address(key, this);
    if (most > 0 && address.clients >= most) {
      this.#counts.connections++;
      return 'full';
    }
    this.#recovering.delete(key);
    this.#addresses.set(key, address);
    address.clients++;
    return address;
  }

  /** The client has gone. */
  leave(address: Address, client: LimitedClient): void {
    address.waiting.delete(client);
    address.clients--;
    if (address.clients > 0) return;
    this.#addresses.delete(address.key);
    if (!this.#hasRates) return;
    // Whoever comes back at once finds its debts, also those of what it has sent last.
    this.#recovering.set(address.key, address);
    if (this.#recovering.size <= MOST_RECOVERING) return;
    const [oldest] = this.#recovering.keys();
    if (oldest !== undefined) this.#recovering.delete(oldest);
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#addresses.size + this.#recovering.size;
  }

  /** Called about once a second. */
  tick(): void {
    const now = this.#now();
    for (const [key, address] of this.#recovering) {
      if (address.hasRecovered(this.#rates, now)) this.#recovering.delete(key);
    }
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** The client has had so much handled. */
  charge(address: Address, commands: number, bytes: number): void {
    address.charge(this.#rates, this.#now(), commands, bytes);
  }

  /** @returns whether nothing of the client is to be handled now; then it is told when it may go on */
  holds(address: Address, client: LimitedClient): boolean {
    const over = address.over(this.#rates, this.#now());
    if (over === null) return false;
    if (!address.waiting.has(client)) {
      this.#counts[over]++;
      address.waiting.add(client);
    }
    this.#waiting.add(address);
    this.#timer ??= setInterval(() => this.#wake(), WAKE_MS);
    return true;
  }

  get #hasRates(): boolean {
    return this.#rates.commandsPerAddress > 0 || this.#rates.bytesPerAddress > 0;
  }

  #wake(): void {
    const now = this.#now();
    for (const address of this.#waiting) {
      if (address.over(this.#rates, now) !== null) continue;
      // Those that find a new debt wait again, behind the others.
      const clients = [...address.waiting];
      address.waiting.clear();
      this.#waiting.delete(address);
      for (const client of clients) if (!client.closed) client.resumeSoon();
    }
    if (this.#waiting.size === 0) this.close();
  }
}

/** An address with clients, or one that has not recovered yet. */
export class Address {
  readonly key: string;
  readonly limits: AddressLimits;
  clients = 0;
  readonly waiting = new Set<LimitedClient>();
  #commands: Bucket | null = null;
  #bytes: Bucket | null = null;

  constructor(key: string, limits: AddressLimits) {
    this.key = key;
    this.limits = limits;
  }

  charge({ commandsPerAddress, bytesPerAddress }: Rates, now: number, commands: number, bytes: number): void {
    if (commandsPerAddress > 0) {
      this.#commands ??= new Bucket(commandsPerAddress, now);
      charge(this.#commands, commandsPerAddress, now, commands);
    }
    if (bytesPerAddress > 0) {
      this.#bytes ??= new Bucket(bytesPerAddress, now);
      charge(this.#bytes, bytesPerAddress, now, bytes);
    }
  }

  /** @returns which rate it is over; null: none */
  over({ commandsPerAddress, bytesPerAddress }: Rates, now: number): 'commands' | 'bytes' | null {
    if (isOver(this.#commands, commandsPerAddress, now)) return 'commands';
    if (isOver(this.#bytes, bytesPerAddress, now)) return 'bytes';
    return null;
  }

  hasRecovered({ commandsPerAddress, bytesPerAddress }: Rates, now: number): boolean {
    return isFull(this.#commands, commandsPerAddress, now) && isFull(this.#bytes, bytesPerAddress, now);
  }
}

/** A second's worth is what may be done at once. */
function charge(bucket: Bucket, rate: number, now: number, amount: number): void {
  bucket.level(rate, rate, now);
  bucket.take(amount);
}

function isOver(bucket: Bucket | null, rate: number, now: number): boolean {
  return rate > 0 && bucket !== null && bucket.level(rate, rate, now) < 0;
}

/** Whoever begins anew would not have more. */
function isFull(bucket: Bucket | null, rate: number, now: number): boolean {
  return rate === 0 || bucket === null || bucket.level(rate, rate, now) >= rate;
}
