/**
 * Whether this proxy still belongs to its fleet. One that was fenced off, since nothing was heard of it for longer than
 * its lease, or that an operator has called dead, may not speak to nodes any more under the id that it has; that is never
 * taken back. So it stops, drops what it knows of the ring, and begins anew as another member: its clients stay, and are
 * answered `-TRYAGAIN` for as long as that takes.
 */
import { messageOf } from '../../errors.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { FleetMember } from '../state/fleet.js';
import type { MemberRecords, RingRecords, Standing } from '../store/ring-store.js';

export interface BelongingPorts {
  /** By which it is registered now. */
  memberId(): string;
  readonly store: Pick<MemberRecords, 'members'> &
    Pick<RingRecords, 'load' | 'watch'> &
    Pick<Standing, 'isKnownMember'>;
  /** Nothing is sent to nodes any more when this returns. @param why a sentence */
  suspend(why: string): void;
  /** Ends what this proxy does for the fleet under its old id. */
  leave(): Promise<void>;
  /** Registers under the id that it has. @throws when it cannot now */
  join(): Promise<void>;
  /** Registers under an id that nobody has had, and serves again. @throws when it cannot now */
  joinAnew(): Promise<void>;
  warn(message: string): void;
}

/** Where it cannot join anew, it tries again; twice as long each time. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;

export class Belonging {
  readonly #ports: BelongingPorts;
  readonly #timers: Pick<Timers, 'after'>;
  #stopWatching: (() => void) | null = null;
  /** It stops, or begins anew. */
  #renewing: Promise<void> | null = null;
  #looking = false;
  #lookAgain = false;
  #closed = false;
  /** It was told that the store has lost the ring. */
  #isRingGone = false;

  constructor(ports: BelongingPorts, timers: Pick<Timers, 'after'> = systemTimers) {
    this.#ports = ports;
    this.#timers = timers;
  }

  /** It is registered: from now on it is looked whether it stays so. */
  begin(): void {
    this.#stopWatching ??= this.#ports.store.watch(({ kind }) => {
      if (kind === 'members') this.look();
    });
    this.look();
  }

  /**
   * It serves a ring that it knew before, under an id of before, since the store cannot be reached: as soon as it can be,
   * registers under that id, or where that does not count any more, under another one.
   */
  async beginWhenReachable(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !this.#closed; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const { store, memberId, join } = this.#ports;
      const isKnown = await store.isKnownMember(memberId()).catch(() => null);
      const joined = isKnown === true && (await join().then(yes, no));
      // One that is not known joins anew.
      if (joined || isKnown === false) {
        this.begin();
        return;
      }
      await this.#sleep(pause);
    }
  }

  /** Looks now: a node's connection was refused since this proxy does not belong, or members have changed. */
  look(): void {
    this.#lookAgain = true;
    if (!this.#looking) void this.#look();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching?.();
    await this.#renewing;
  }

  async #look(): Promise<void> {
    this.#looking = true;
    while (this.#lookAgain && !this.#closed && this.#stopWatching !== null && this.#renewing === null) {
      this.#lookAgain = false;
      // What cannot be read says nothing; the next news do.
      const members = await this.#ports.store.members().catch(() => null);
      if (members === null || this.#closed) continue;
      const why = whyNot(this.#ports.memberId(), members);
      if (why !== null && (await this.#hasRing()) && !this.#closed) {
        this.#renewing = this.#renew(why).finally(() => {
          this.#renewing = null;
          this.look();
        });
      }
    }
    this.#looking = false;
  }

  /**
   * A fleet that has lost its record has passed nobody: this proxy goes on by what it knows, and says so. Where that
   * cannot be read, nothing is known.
   */
  async #hasRing(): Promise<boolean> {
    const { store, warn } = this.#ports;
    const ring = await store.load().catch(() => undefined);
    if (ring === null && !this.#isRingGone) warn(RING_GONE);
    if (ring !== undefined) this.#isRingGone = ring === null;
    return ring !== null && ring !== undefined;
  }

  async #renew(why: string): Promise<void> {
    const { suspend, leave, joinAnew, warn } = this.#ports;
    warn(`this proxy (${this.#ports.memberId()}) ${why}: it joins anew under another id`);
    suspend(`this proxy ${why}, and joins anew`);
    await leave();
    for (let pause = FIRST_PAUSE_MS; !this.#closed; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await joinAnew();
      } catch (error) {
        warn(`this proxy cannot join anew yet: ${messageOf(error)}`);
        await this.#sleep(pause);
      }
    }
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#timers.after(milliseconds, resolve));
  }
}

const RING_GONE =
  'etcd has lost the ring: clients are served by the ring that this proxy knows, which cannot be changed. Restore etcd, or end a proxy that has a state-dir and start it again: it records the ring that it knew last';

const yes = (): boolean => true;
const no = (): boolean => false;

/** @returns why it does not belong to the fleet; null: it does */
function whyNot(id: string, members: readonly FleetMember[]): string | null {
  const own = members.find((member) => member.id === id);
  if (own === undefined) return 'was called dead, or was passed by its fleet and is forgotten';
  return own.fencedOff ? 'was passed by its fleet, which had heard nothing of it for longer than its lease' : null;
}
