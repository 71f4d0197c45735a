/**
 * The replicas of one node, and how much later than their master they are at most.
 *
 *   master   INFO at 10:00.0 ─▶ history H, offset 700, replicas R     a mark: what was written before 10:00.0 is below 700
 *   R        INFO ─▶ a replica, linked, history H, offset 720         so R has all that was written before 10:00.0
 *
 * So by no clock but this process' it is known as of when a replica is complete, also when it stands still, its link is
 * broken, or it lies by being late: nothing proves it anew, and it becomes too old. That it is a replica of this very
 * master, the name of the history says, which is another one from each promotion on.
 */
import { decodeReply } from '../../resp/decode.js';
import { request as encodeRequest } from '../../resp/encode.js';
import type { ReplySink } from '../request/reply-sink.js';
import { NO_KEYS_AT_ALL, type Request } from '../request/request.js';
import type { LaneKind } from './lane-kind.js';
import { readMasterInfo, readReplicaInfo } from './replica-info.js';
import { UpstreamNode } from './upstream-node.js';

const INFO = Buffer.from(encodeRequest(['INFO', 'replication']));
const KIND: LaneKind = { protocol: 2, database: 0 };
const NOT_READ = 'is not read from any more';
const ERROR_BYTE = 0x2d;
/** A replica that has answered an error that is no key's is not asked for so long. Milliseconds. */
const LEFT_OUT_MS = 1000;
/** Replicas of one node that are read from. */
const MOST_REPLICAS = 16;
/** Ten a second, for the longest `max-lag`. */
const MOST_MARKS = 700;

/** Times are those of the clock. */
interface Mark {
  /** All that the master had answered at this time is below the offset. */
  readonly at: number;
  /** And all that this process had begun before this one. */
  readonly own: number;
  readonly offset: number;
}

/** A server that follows the master. */
export class Replica {
  readonly node: UpstreamNode;
  /** It has all that its master had answered then; -Infinity: that is not known. */
  at = Number.NEGATIVE_INFINITY;
  /** It has all that this process had sent its master before then. */
  own = Number.NEGATIVE_INFINITY;
  /** The connection that this was found by. */
  reconnects = 0;
  leftOutUntil = Number.NEGATIVE_INFINITY;
  isAsked = false;

  constructor(node: UpstreamNode) {
    this.node = node;
  }

  /** It answers, and has been proven to follow its master. @param now by the clock */
  isProven(now: number): boolean {
    const { node } = this;
    return this.at > 0 && node.up && node.counters.reconnects === this.reconnects && now > this.leftOutUntil;
  }

  /** Nothing is known of it any more. */
  forget(): void {
    this.at = Number.NEGATIVE_INFINITY;
    this.own = Number.NEGATIVE_INFINITY;
  }

  /** It says that something is wrong with it, by the clock. */
  leaveOut(now: number): void {
    this.forget();
    this.leftOutUntil = now + LEFT_OUT_MS;
  }
}

/** Why no replica is to be asked. */
export type NoReplica = 'none' | 'unproven' | 'late' | 'newer';

export class Replicas {
  readonly #master: UpstreamNode;
  #target: UpstreamNode['target'];
  #all: Replica[] = [];
  #history = '';
  #marks: Mark[] = [];
  #isAsked = false;

  constructor(master: UpstreamNode) {
    this.#master = master;
    this.#target = master.target;
  }

  get all(): readonly Replica[] {
    return this.#all;
  }

  /**
   * A replica for a key: always the same one, as long as it is of use.
   * @param now by the clock, as are the other times @param maxLag milliseconds
   * @param written when the key was written last through this process
   */
  choose(hash: number, now: number, maxLag: number, written: number): Replica | NoReplica {
    const all = this.#all;
    const count = all.length;
    // It fails over, or may not be spoken to: then nobody answers for it.
    if (count === 0 || !this.#master.up || this.#master.target !== this.#target) return 'none';
    let why: NoReplica = 'unproven';
    const first = (hash >>> 0) % count;
    for (let i = 0; i < count; i++) {
      const replica = all[(first + i) % count] as Replica;
      if (!replica.isProven(now) || replica.node.silent) continue;
      if (now - replica.at > maxLag) why = why === 'newer' ? why : 'late';
      else if (replica.own <= written) why = 'newer';
      else return replica;
    }
    return why;
  }

  /**
   * Called about ten times a second: asks the master how far it is, and then its replicas.
   * @param own since when something is under way at the master that is not seen on its connections
   * @param longest the longest `max-lag`, in milliseconds
   */
  tick(now: number, own: number, longest: number): void {
    const master = this.#master;
    if (master.target !== this.#target || master.suspension.reply !== null) this.#begin();
    for (const { node } of this.#all) {
      node.useLogin(master.login);
      node.tick(now);
    }
    if (this.#isAsked || !master.up) return;
    const lane = master.pick(KIND);
    if (lane === null) return;
    const { clock } = master.shared;
    const at = clock.read();
    // What is in flight may be carried out behind this question.
    const mark = { at, own: Math.min(at, own, master.busySince) };
    const target = this.#target;
    this.#isAsked = true;
    lane.ask(
      INFO,
      this.#answer((info) => {
        this.#isAsked = false;
        if (info !== null && target === this.#target) this.#onMaster(info, mark, longest);
      }),
      NO_KEYS_AT_ALL,
    );
  }

  /** Nobody is read from any more; what is in flight is asked of the master. */
  close(): void {
    for (const { node } of this.#all) node.close(NOT_READ);
    this.#all = [];
    this.#marks = [];
  }

  /** Another server is the master, or none is. */
  #begin(): void {
    this.close();
    this.#target = this.#master.target;
    this.#history = '';
  }

  #onMaster(text: string, { at, own }: Omit<Mark, 'offset'>, longest: number): void {
    const info = readMasterInfo(text);
    if (info === null || info.history !== this.#history) {
      for (const replica of this.#all) replica.forget();
      this.#marks = [];
    }
    if (info === null) return;
    this.#history = info.history;
    this.#marks.push({ at, own, offset: info.offset });
    const old = this.#marks.findIndex((mark) => mark.at >= at - longest);
    this.#marks.splice(0, Math.max(old, this.#marks.length - MOST_MARKS));
    this.#follow(info.replicas.slice(0, MOST_REPLICAS));
    for (const replica of this.#all) this.#askReplica(replica);
  }

  #follow(addresses: readonly string[]): void {
    const stay = this.#all.filter(({ node }) => addresses.includes(node.address));
    for (const replica of this.#all) if (!stay.includes(replica)) replica.node.close(NOT_READ);
    const known = stay.map(({ node }) => node.address);
    const { id, name, login, tls, shared } = this.#master;
    for (const address of addresses) {
      if (known.includes(address)) continue;
      const node = new UpstreamNode({ id, name, address, weight: 1, ...login, tls }, shared, true);
      node.preconnect();
      stay.push(new Replica(node));
    }
    // In one order, so that a key has one replica at all processes.
    this.#all = stay.sort((one, other) => (one.node.address < other.node.address ? -1 : 1));
  }

  #askReplica(replica: Replica): void {
    const lane = replica.isAsked ? null : replica.node.pick(KIND);
    if (lane === null) return;
    const history = this.#history;
    replica.isAsked = true;
    lane.ask(
      INFO,
      this.#answer((text) => {
        replica.isAsked = false;
        const info = text === null ? null : readReplicaInfo(text);
        if (info === null || info.history !== history || history !== this.#history) {
          replica.forget();
          return;
        }
        const mark = this.#marks.findLast(({ offset }) => offset <= info.offset);
        if (mark === undefined) return;
        replica.at = mark.at;
        replica.own = mark.own;
        replica.reconnects = replica.node.counters.reconnects;
      }),
      NO_KEYS_AT_ALL,
    );
  }

  /** @param take the text of INFO; null: there is none */
  #answer(take: (info: string | null) => void): ReplySink {
    const { requests } = this.#master.shared;
    return {
      onReply: (request: Request, buffer: Buffer, start: number) => {
        requests.give(request);
        take(buffer[start] === ERROR_BYTE ? null : String(decodeReply(buffer, start)?.value ?? ''));
      },
      onFailure: (request: Request) => {
        requests.give(request);
        take(null);
      },
    };
  }
}
