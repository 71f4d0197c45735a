/**
 * A client of etcd's v3 JSON gateway: requests are tried at one endpoint after the other, until their time is over.
 *
 * Requests are repeated, also those that may have been carried out unseen: who writes makes its transactions so that the
 * second one fails its own comparison, and is told that there was a first one (`isRepeated`).
 */
import type { z } from 'zod';
import { monotonicNow } from '../time/monotonic.js';
import { systemTimers, type Timers } from '../time/timers.js';
import { type Endpoint, Endpoints, type EtcdTls } from './endpoints.js';
import type { EtcdOperation } from './events.js';
import { type EtcdError, type Failure, isLeaseGone, summary } from './failure.js';
import { ask, type HttpRequest, type OpenStream, type Outcome, openStream } from './http.js';
import { type EtcdLogin, Login } from './login.js';
import { type RangeQuery, rangeBody, type Txn, txnBody } from './requests.js';
import {
  grantAnswer,
  keepAliveAnswer,
  type RangeAnswer,
  rangeAnswer,
  revokeAnswer,
  type TxnAnswer,
  tokenAnswer,
  txnAnswer,
} from './wire.js';

export interface EtcdClientOptions {
  /** Origins; at least one. */
  readonly endpoints: readonly string[];
  readonly login: EtcdLogin | null;
  readonly tls: EtcdTls;
  readonly timers?: Timers;
  /** See `monotonicNow`. */
  readonly now?: () => number;
}

/** How long a request may take, in milliseconds. */
export interface Patience {
  /** In all, at all endpoints. */
  readonly total: number;
  /** At one endpoint, where there are others. */
  readonly each: number;
}

/** etcd itself gives a request up after 7 s; a leader is elected within 1 to 3 s. */
const PATIENCE: Patience = { total: 5000, each: 1500 };
const CONNECT_MS = 1000;
/** After the first round over all endpoints; twice as long after each further one, up to a second. */
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;
/** A token that is new and unknown none the less is not worth a third one. */
const MOST_TOKENS = 2;

export interface Answered<T> {
  readonly answer: T;
  /** It was tried before, and may have been carried out then. */
  readonly isRepeated: boolean;
  /** When the try that was answered was sent, by `monotonicNow`. */
  readonly sentAt: number;
}

export interface Lease {
  readonly id: string;
  /** As granted: etcd gives no lease for less than one and a half of its election timeouts. */
  readonly ttlMs: number;
  /** When it was asked for, by `monotonicNow`: it holds at least until `ttlMs` later. */
  readonly sentAt: number;
}

interface Call {
  readonly operation: EtcdOperation;
  readonly path: string;
}

const CALLS = {
  range: { operation: 'range', path: '/v3/kv/range' },
  txn: { operation: 'txn', path: '/v3/kv/txn' },
  grant: { operation: 'grant', path: '/v3/lease/grant' },
  keepAlive: { operation: 'keepalive', path: '/v3/lease/keepalive' },
  revoke: { operation: 'revoke', path: '/v3/lease/revoke' },
  watch: { operation: 'watch', path: '/v3/watch' },
  login: { operation: 'login', path: '/v3/auth/authenticate' },
} as const satisfies Record<string, Call>;

export class EtcdClient {
  readonly #endpoints: Endpoints;
  readonly #login: Login;
  readonly #timers: Timers;
  readonly #now: () => number;
  #isReachable = true;
  #isClosed = false;
  /** The one that has answered first. */
  #cluster: string | null = null;
  /** Told when etcd does what it is asked for again, or does not any more, as far as requests have found out. */
  onReachable: (isReachable: boolean) => void = () => {};

  constructor({ endpoints, login, tls, timers = systemTimers, now = monotonicNow }: EtcdClientOptions) {
    this.#timers = timers;
    this.#now = now;
    this.#endpoints = new Endpoints(endpoints, tls, CONNECT_MS);
    this.#login = new Login(login, ({ user: name, password }) => {
      const request: HttpRequest = { ...CALLS.login, body: { name, password }, token: null, accepts: this.accepts };
      return ask(this.#endpoints.current, request, tokenAnswer, PATIENCE.each, timers);
    });
  }

  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** As they are configured. */
  get endpoints(): readonly string[] {
    return this.#endpoints.names;
  }

  /** Whether what a cluster says counts: all endpoints are to be of one. */
  readonly accepts = (cluster: string): boolean => {
    this.#cluster ??= cluster;
    return this.#cluster === cluster;
  };

  /** A read that cannot be stale. @throws EtcdError */
  async range(query: RangeQuery, patience: Patience = PATIENCE): Promise<RangeAnswer> {
    return (await this.#call(CALLS.range, rangeBody(query), rangeAnswer, patience)).answer;
  }

  /** @throws EtcdError which says whether it may have been carried out */
  txn(txn: Txn, patience: Patience = PATIENCE): Promise<Answered<TxnAnswer>> {
    return this.#call(CALLS.txn, txnBody(txn), txnAnswer, patience);
  }

  /** @throws EtcdError */
  async grant(ttlMs: number): Promise<Lease> {
    const body = { TTL: Math.ceil(ttlMs / 1000) };
    const { answer, sentAt } = await this.#call(CALLS.grant, body, grantAnswer, PATIENCE);
    return { id: answer.ID, ttlMs: answer.TTL * 1000, sentAt };
  }

  /**
   * Renews a lease.
   * @returns it, and the revision of the member that answered; null: it is gone
   * @throws EtcdError
   */
  async keepAlive(id: string, patience: Patience): Promise<(Lease & { readonly revision: number }) | null> {
    const { answer, sentAt } = await this.#call(CALLS.keepAlive, { ID: id }, keepAliveAnswer, patience);
    const { TTL, header } = answer.result;
    return TTL <= 0 ? null : { id, ttlMs: TTL * 1000, sentAt, revision: header.revision };
  }

  /** Ends a lease, and with it the keys that hang on it; one that is gone is ended as well. @throws EtcdError */
  async revoke(id: string, patience: Patience = PATIENCE): Promise<void> {
    try {
      await this.#call(CALLS.revoke, { ID: id }, revokeAnswer, patience);
    } catch (error) {
      if (!isLeaseGone(error)) throw error;
    }
  }

  /**
   * Begins a watch at the endpoint of the moment: one try.
   * @param signal ends it
   */
  async openWatch(body: object, signal: AbortSignal): Promise<{ endpoint: Endpoint; outcome: Outcome<OpenStream> }> {
    const endpoint = this.#endpoints.current;
    const outcome = await this.#withToken(CALLS.watch, body, (request) =>
      openStream(endpoint, request, signal, PATIENCE.each, this.#timers),
    );
    if ('failure' in outcome && !signal.aborted) this.leave(endpoint, outcome.failure);
    return { endpoint, outcome };
  }

  /** Takes note of what went wrong at an endpoint, for the requests that come. */
  leave(endpoint: Endpoint, failure: Failure): void {
    if (failure.again === 'token') this.#login.forget();
    else this.#endpoints.leave(endpoint);
  }

  /** The certificates have changed: connections that are made from now on have the new ones. */
  renewTls(): void {
    this.#endpoints.renew();
  }

  /** Ends all requests. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#endpoints.close();
  }

  async #call<T>(call: Call, body: object, schema: z.ZodType<T>, { total, each }: Patience): Promise<Answered<T>> {
    const end = this.#now() + total;
    // A connection that is dead at the other side is found out by a second one, also where there is one endpoint only.
    const most = this.#endpoints.count === 1 ? Math.max(each, total / 2) : each;
    const failures = new Map<string, Failure>();
    let isRepeated = false;
    let tokens = 0;
    for (let tries = 1; ; tries++) {
      const endpoint = this.#endpoints.current;
      const timeout = Math.round(Math.max(1, Math.min(most, end - this.#now())));
      let sentAt = 0;
      const outcome = await this.#withToken(call, body, (request) => {
        sentAt = this.#now();
        return ask(endpoint, request, schema, timeout, this.#timers);
      });
      if ('answer' in outcome) {
        this.#setReachable(true);
        return { answer: outcome.answer, isRepeated, sentAt };
      }
      const { failure } = outcome;
      failures.set(endpoint.name, failure);
      isRepeated ||= failure.mayHaveHappened;
      if (failure.again === 'token' && this.#login.isNeeded && ++tokens <= MOST_TOKENS) {
        this.#login.forget();
        continue;
      }
      if (failure.again !== 'elsewhere' || this.#isRefusedByAll(failures))
        throw this.#giveUp(call, failures, isRepeated);
      this.#endpoints.leave(endpoint);
      const rounds = tries / this.#endpoints.count;
      const pause = Number.isInteger(rounds) ? Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** (rounds - 1)) : 0;
      if (this.#isClosed || this.#now() + pause >= end) throw this.#giveUp(call, failures, isRepeated);
      if (pause > 0) await new Promise<void>((resolve) => this.#timers.after(pause, resolve));
    }
  }

  /** A certificate that no endpoint takes is not taken in a moment either. */
  #isRefusedByAll(failures: ReadonlyMap<string, Failure>): boolean {
    return failures.size === this.#endpoints.count && [...failures.values()].every(({ code }) => code === 'ETCD_TLS');
  }

  async #withToken<T>(
    call: Call,
    body: object,
    send: (request: HttpRequest) => Promise<Outcome<T>>,
  ): Promise<Outcome<T>> {
    const token = await this.#login.token();
    if ('failure' in token) return { failure: { ...token.failure, mayHaveHappened: false } };
    const outcome = await send({ ...call, body, token: token.answer, accepts: this.accepts });
    // Some versions close the connection on a token that they do not know, instead of an answer.
    if ('failure' in outcome && outcome.isEmpty === true) this.#login.forget();
    return outcome;
  }

  #giveUp(call: Call, failures: ReadonlyMap<string, Failure>, mayHaveHappened: boolean): EtcdError {
    const error = summary(call.operation, failures, mayHaveHappened);
    // These are answers about this one request.
    if (error.code !== 'ETCD_FULL' && error.code !== 'ETCD_TOO_LARGE' && !this.#isClosed) this.#setReachable(false);
    return error;
  }

  #setReachable(isReachable: boolean): void {
    if (this.#isReachable === isReachable) return;
    this.#isReachable = isReachable;
    this.onReachable(isReachable);
  }
}
