/** Requests of operators at any proxy: carried out here where this proxy decides about the ring, else by the one that does. */
import { type ErrorCode, isErrorCode, RingproxyError } from '../../errors.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { Revision } from '../state/fleet.js';
import { StoreNews } from '../store/news.js';
import {
  type ClaimRecords,
  COORDINATOR,
  type MemberRecords,
  type RingRecords,
  type Standing,
} from '../store/ring-store.js';
import { notCoordinator } from './refusals.js';
import { parseAnswer, parseForwarded, type RingAnswer, type RingRequest, type RingRequests } from './ring-requests.js';

/** What proxies ask each other for this. */
export const RING_PATH = 'ring';

/** Other proxies, as whoever has something to ask of them needs them. */
export interface PeerAsking {
  /** Never throws: that there is no answer is one. @param timeoutMs for all of it */
  ask(member: string, path: string, body: object, timeoutMs: number): Promise<PeerReply>;
}

export type PeerReply =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly failure: Failure };

interface Failure {
  readonly kind: string;
  /** For people. */
  readonly message: string;
  /** What the other one has answered, where it was an error. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string } | null;
}

/** It may have got the question, and have done what it says. */
const PERHAPS_ARRIVED: readonly string[] = ['lost', 'timed out', 'too large'];

/** A proxy that ended may still be named as the one that decides, and another one may have its port by then. */
const NOTHING_DONE: ReadonlySet<ErrorCode> = new Set(['NOT_COORDINATOR', 'NO_COORDINATOR', 'PEER_OTHER']);

export interface ForwardingPorts {
  memberId(): string;
  readonly store: Pick<MemberRecords, 'members'> &
    Pick<ClaimRecords, 'claims'> &
    Pick<RingRecords, 'watch' | 'load'> &
    Pick<Standing, 'isReachable'>;
  /** Null: this proxy is alone. */
  readonly peers: PeerAsking | null;
  /** Carries it out here. */
  readonly own: RingRequests;
}

interface Coordinating {
  readonly id: string;
  readonly admin: string;
  /** Of its claim. */
  readonly revision: Revision;
}

/** For so long a next one is waited for: longer than a quick claim holds. */
const SUCCESSION_MS = 5000;
/** One that does not decide any more has so long to say so itself. */
const LAST_WORD_MS = 1000;
/** One that refuses may be about to begin, or to end. */
const AGAIN_MS = 100;
/** A change examines nodes, and removes strays, before it begins: no longer than the command line waits. */
const TIMEOUTS_MS: Record<RingRequest['kind'], number> = {
  change: 110_000,
  cancel: 30_000,
  pause: 10_000,
  resume: 10_000,
  throttle: 10_000,
  forget: 30_000,
  eject: 110_000,
  return: 110_000,
  abandon: 30_000,
  processes: 10_000,
  empty: 110_000,
};

export class RequestForwarding implements RingRequests {
  readonly #ports: ForwardingPorts;
  readonly #timers: Pick<Timers, 'now' | 'after'>;

  constructor(ports: ForwardingPorts, timers: Pick<Timers, 'now' | 'after'> = systemTimers) {
    this.#ports = ports;
    this.#timers = timers;
  }

  async carryOut(request: RingRequest, by: string): Promise<RingAnswer> {
    for (const deadline = this.#timers.now() + SUCCESSION_MS; ; ) {
      try {
        return await this.#once(request, by);
      } catch (error) {
        // Nothing was done: it came to one that does not decide any more, or is gone. Its successor is asked.
        if (!(error instanceof RingproxyError) || !NOTHING_DONE.has(error.code)) throw error;
        if (this.#timers.now() >= deadline) throw error.code === 'NOT_COORDINATOR' ? nobody(error.message) : error;
      }
      await new Promise<void>((resolve) => this.#timers.after(AGAIN_MS, resolve));
    }
  }

  /**
   * Carries a request of another proxy out, here or not at all.
   * @param body as it came
   * @throws RingproxyError which the other one gets
   */
  async answer(body: unknown): Promise<RingAnswer> {
    const { request, by } = parseForwarded(body);
    return this.#ports.own.carryOut(request, by);
  }

  async #once(request: RingRequest, by: string): Promise<RingAnswer> {
    const { own, memberId, peers, store } = this.#ports;
    const coordinator = await this.#coordinator();
    if (coordinator.id === memberId() || peers === null) return own.carryOut(request, by);
    const who = nameOf(coordinator);
    const seen = (await store.load())?.revision ?? null;
    const succession = this.#succession(coordinator);
    const asking = peers.ask(coordinator.id, RING_PATH, { request, by }, TIMEOUTS_MS[request.kind]);
    const reply = await Promise.race([asking, succession.passed]).finally(succession.end);
    if (reply === null) {
      // What it decides is recorded by its claim, which another one's has taken the place of: it cannot be any more.
      const isAsBefore = request.kind !== 'forget' && ((await store.load())?.revision ?? null) === seen;
      if (isAsBefore) throw notCoordinator();
      throw unknownOutcome(`${who} has decided about the ring, and does not any more`, 'it has not answered');
    }
    if (!reply.ok) throw refusal(who, reply.failure);
    const answer = parseAnswer(reply.body);
    if (answer !== null) return answer;
    throw new RingproxyError(
      'OUTCOME_UNKNOWN',
      `${who} decides about the ring, and has answered what is not understood`,
    );
  }

  /** One that stands still does not answer, nor end the connection: its claim runs out long before it is given up. */
  #succession({ revision }: Coordinating): { readonly passed: Promise<null>; end(): void } {
    const { store } = this.#ports;
    let end = (): void => {};
    const passed = new Promise<null>((resolve) => {
      const look = async (): Promise<void> => {
        const claim = (await store.claims().catch(() => [])).find(({ job }) => job === COORDINATOR);
        // One that lives knows more about what became of it.
        if (claim !== undefined && claim.revision !== revision) this.#timers.after(LAST_WORD_MS, () => resolve(null));
      };
      end = store.watch(({ kind }) => {
        if (kind === 'claims') void look();
      });
    });
    return { passed, end: () => end() };
  }

  /** @throws RingproxyError when nobody decides, also after a while */
  async #coordinator(): Promise<Coordinating> {
    const { store } = this.#ports;
    let isLate = false;
    const news = new StoreNews(store);
    const endTimer = this.#timers.after(SUCCESSION_MS, () => {
      isLate = true;
      news.wake();
    });
    try {
      for (;;) {
        const next = news.next();
        const claim = (await store.claims()).find(({ job }) => job === COORDINATOR);
        if (claim !== undefined) {
          const member = (await store.members()).find(({ id }) => id === claim.holder);
          return { id: claim.holder, admin: member?.info?.admin ?? '', revision: claim.revision };
        }
        if (!store.isReachable) throw outOfReach();
        if (isLate) throw nobody('no proxy decides about the ring');
        await next;
      }
    } finally {
      news.end();
      endTimer();
    }
  }
}

function outOfReach(): RingproxyError {
  return new RingproxyError(
    'ETCD_UNREACHABLE',
    'nothing can be decided about the ring: etcd, where the proxies agree, is out of reach of this one',
  );
}

function nobody(message: string): RingproxyError {
  return new RingproxyError('NO_COORDINATOR', message);
}

function nameOf({ id, admin }: Coordinating): string {
  return `the proxy ${id}${admin === '' ? '' : ` (${admin})`}`;
}

function unknownOutcome(what: string, why: string): RingproxyError {
  return new RingproxyError('OUTCOME_UNKNOWN', `${what}: it may have done what was asked, or may do it yet (${why})`);
}

/** What the operator reads who has asked this proxy. */
function refusal(who: string, { kind, message, error }: Failure): RingproxyError {
  if (error !== null) {
    if (isErrorCode(error.code)) return new RingproxyError(error.code, error.message, error.hint);
    // One of a newer version may have errors that are not known here.
    return new RingproxyError('INTERNAL', `${who}: ${error.message} (${error.code})`, error.hint);
  }
  if (PERHAPS_ARRIVED.includes(kind)) {
    return unknownOutcome(`${who} decides about the ring, and has not answered`, message);
  }
  return new RingproxyError(
    'NO_COORDINATOR',
    `${who} decides about the ring, and cannot be asked: ${message}`,
    'ask that proxy itself; or end it, and another one decides within seconds',
  );
}
