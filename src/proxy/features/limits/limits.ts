/**
 * Times to live and sizes of values that a group's policy says: `default-ttl`, `ttl-jitter`, `max-ttl` and
 * `max-value-bytes`. A command that says a time to live, or may (SET), is sent with another one; behind any other that
 * may make a key goes PEXPIRE with NX or LT, on the same lane, whose reply nobody sees.
 *
 *   prepare   the command at hand is refused, or its frame rewritten
 *   follow    it was sent: what goes behind it          queueBehind   it was queued by MULTI: so is that
 */
import type { TtlBehind } from '../../../commands/columns.js';
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { parseStrictInteger } from '../../../resp/integer.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { CachePolicy } from '../../caching/policy.js';
import type { KeyGroups } from '../../measure/key-groups.js';
import type { Request } from '../../request/request.js';
import type { Verdict } from '../../request/verdict.js';
import { otherDatabaseAt } from '../../route/moving/other-database.js';
import type { Router } from '../../route/router.js';
import { sendBehind } from '../../route/send-behind.js';
import type { UploadLimits } from '../../route/upload-plan.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { PASS, type PolicyFollower, type PolicyStep } from '../policies.js';
import { type Remaining, rewriteGiven } from './given-ttl.js';
import { limitsTtl, type Random, ttlOfNew } from './times.js';
import { type TtlFrame, type TtlOption, ttlFrame } from './ttl-frames.js';
import { refusalOfValue, refusalOfValues } from './value-sizes.js';

/** Takes a frame for the key `source[start, end)`, which is in this database; null: in the client's. */
type TakeFrame = (source: Buffer, start: number, end: number, frame: TtlFrame, database: number | null) => void;

export interface LimitsPorts {
  readonly router: Router;
  /** Whether all nodes are of Redis 7 or newer. */
  readonly areNodesNew: () => boolean;
  readonly random: Random;
}

const NEW: TtlBehind = { of: 'first', isNew: true, isAny: false };
const ANY: TtlBehind = { of: 'first', isNew: false, isAny: true };
const NEW_OR_ANY: TtlBehind = { of: 'first', isNew: true, isAny: true };

const REMAINING: Readonly<Record<Remaining, TtlBehind | null>> = {
  nothing: null,
  made: NEW,
  any: ANY,
  'made or any': NEW_OR_ANY,
};

export class Limits implements PolicyStep, PolicyFollower, UploadLimits {
  readonly #ports: LimitsPorts;
  readonly #groups: KeyGroups;
  /** Of the command at hand. */
  #behind: TtlBehind | null = null;

  constructor(ports: LimitsPorts) {
    this.#ports = ports;
    this.#groups = ports.router.shared.counters.groups;
  }

  dispatch(client: ClientConnection, framer: RequestFramer, command: Command): Verdict | typeof PASS {
    const refusal = this.prepare(command, framer);
    return refusal === null ? PASS : this.#ports.router.refuse(client, command, refusal);
  }

  onGroups(): void {
    // Nothing is kept of them.
  }

  /**
   * Of the command that `framer` holds, one of whose keys is, or may be, of a group with a policy: its frame is
   * rewritten where it says a time to live.
   * @returns the error that answers it; null: it may go on
   */
  prepare(command: Command, framer: RequestFramer): Buffer | null {
    const groups = this.#groups;
    const { random } = this.#ports;
    this.#behind = null;
    if (!command.write && command.ttlBehind === null) return null;
    const refusal = command.write ? refusalOfValues(groups, command, framer) : null;
    if (refusal !== null) return refusal;
    this.#behind = command.ttlBehind;
    const policy = groups.policyAtHand;
    if (command.ttlGiven === null || policy === null || !limitsTtl(policy)) return null;
    this.#behind = REMAINING[rewriteGiven(command.ttlGiven, framer, policy, random)];
    return null;
  }

  /** The command at hand was sent, or answered by the proxy. */
  follow(client: ClientConnection, framer: RequestFramer, command: Command, request: Request | null): void {
    if (this.#behind === null || request === null) return;
    const { router } = this.#ports;
    const { steps } = request;
    this.#each(command, framer, this.#behind, (source, start, end, { bytes, length }, database) => {
      if (steps !== null) {
        steps.sendBehind(Buffer.from(source.subarray(start, end)), Buffer.from(bytes.subarray(0, length)));
        return;
      }
      sendBehind(router, client, source, start, end, bytes, length, null, database ?? client.kind.database);
    });
  }

  /** The command at hand was queued. @param queue adds a frame behind it */
  queueBehind(framer: RequestFramer, command: Command, queue: (frame: TtlFrame) => void): void {
    if (this.#behind === null) return;
    this.#each(command, framer, this.#behind, (_source, _start, _end, frame) => queue(frame));
  }

  refusalOf(source: Buffer, start: number, end: number, bytes: number): Buffer | null {
    return refusalOfValue(this.#groups, source, start, end, bytes);
  }

  behindUpload(command: Command, source: Buffer, start: number, end: number): readonly Buffer[] {
    const policy = this.#groups.policyOf(source, start, end);
    // Nobody has seen whether the command says a time to live.
    const behind = command.ttlGiven === null ? command.ttlBehind : NEW_OR_ANY;
    if (policy === null || behind === null) return [];
    const frames: Buffer[] = [];
    this.#framesFor(policy, behind, source, start, end, null, (_source, _start, _end, { bytes, length }) => {
      frames.push(Buffer.from(bytes.subarray(0, length)));
    });
    return frames;
  }

  #each(command: Command, framer: RequestFramer, behind: TtlBehind, take: TakeFrame): void {
    const source = framer.source as Buffer;
    const count = findKeys(command, args, framer.argc, source);
    const databaseAt = command.special === 'copy' || command.special === 'move' ? otherDatabaseAt(command, framer) : 0;
    const database =
      databaseAt === 0
        ? null
        : parseStrictInteger(source, args.start[databaseAt] as number, args.end[databaseAt] as number);
    // Of a database that is none the command makes nothing.
    if (count <= 0 || (database !== null && !(database >= 0))) return;
    // Of one that has only one key the last one is what it reads (SORT without STORE).
    if (behind.of === 'last' && count === 1) return;
    const first = behind.of === 'last' ? count - 1 : 0;
    const end = behind.of === 'first' ? 1 : count;
    for (let k = first; k < end; k++) {
      const at = keyPositions.at[k] as number;
      const keyStart = args.start[at] as number;
      const keyEnd = args.end[at] as number;
      const policy = this.#groups.policyOf(source, keyStart, keyEnd);
      if (policy !== null) this.#framesFor(policy, behind, source, keyStart, keyEnd, database, take);
    }
  }

  #framesFor(
    policy: CachePolicy,
    { isNew, isAny }: TtlBehind,
    source: Buffer,
    start: number,
    end: number,
    database: number | null,
    take: TakeFrame,
  ): void {
    const { maxTtl } = policy;
    const isNewToo = isNew ? ttlOfNew(policy, this.#ports.random) : 0;
    const frame = (ttl: number, option: TtlOption): TtlFrame =>
      ttlFrame(source, start, end, ttl, option, this.#ports.areNodesNew(), database);
    if (isNewToo > 0) take(source, start, end, frame(isNewToo, 'NX'), database);
    if (isAny && maxTtl > 0) take(source, start, end, frame(maxTtl, 'LT'), database);
  }
}
