/**
 * Tells the events of a fleet by comparing what is seen of it with what was seen before. So whoever joins, coordinates,
 * passes or forgets somebody needs to know nothing of events, and every proxy tells what it sees, whoever did it.
 */
import type { Channel } from 'node:diagnostics_channel';
import type { Timers } from '../../time/timers.js';
import {
  type CoordinatorEvent,
  coordinatorChanged,
  type JobEvent,
  jobLost,
  jobTaken,
  leaseLost,
  leaseRegained,
  type MemberEvent,
  memberAway,
  memberBack,
  memberFencedOff,
  memberForgotten,
  memberJoined,
  memberLeft,
  memberRejoined,
  type RejoinedEvent,
  type StandingEvent,
  storeBack,
  storeLost,
} from '../fleet-events.js';
import type { FleetMember } from '../state/fleet.js';
import { COORDINATOR } from '../store/ring-store.js';
import type { SeenFleet } from './fleet-sight.js';
import { whatHolds } from './fleet-view.js';

export class FleetWatcher {
  readonly #timers: Pick<Timers, 'now'>;
  #before: SeenFleet | null = null;
  /** Who has had which job since the change that is under way began. */
  readonly #lastHolders = new Map<string, string>();
  #change: string | null = null;
  #hasHadLease = false;
  /** Since when, by the timers' clock. */
  readonly #lost: { store: number | null; lease: number | null } = { store: null, lease: null };

  constructor(timers: Pick<Timers, 'now'>) {
    this.#timers = timers;
  }

  /** To be called whenever the fleet may have changed. */
  observe(seen: SeenFleet): void {
    const before = this.#before;
    this.#before = seen;
    this.#observeStanding(seen);
    if (before === null) return;
    // What cannot be reached is not news of the fleet.
    observeMembers(before, seen);
    this.#observeClaims(before, seen);
  }

  #observeStanding({ self, isReachable, leaseLeft, consistency }: SeenFleet): void {
    const now = this.#timers.now();
    const tell = (channel: Channel, since: number | null, summary: (seconds: number) => string): void => {
      if (!channel.hasSubscribers) return;
      const seconds = since === null ? 0 : (now - since) / 1000;
      const event: StandingEvent = { proxy: self, seconds, summary: summary(seconds) };
      channel.publish(event);
    };
    const lost = this.#lost;
    if (!isReachable && lost.store === null) {
      lost.store = now;
      tell(storeLost, null, () => `etcd is out of reach: ${whatHolds(consistency)}`);
    } else if (isReachable && lost.store !== null) {
      tell(storeBack, lost.store, (seconds) => `etcd is back, after ${inWords(seconds)}`);
      lost.store = null;
    }
    if (leaseLeft > 0) this.#hasHadLease = true;
    if (leaseLeft === 0 && lost.lease === null && this.#hasHadLease) {
      lost.lease = now;
      tell(leaseLost, null, () => `the lease of this proxy (${self}) has run out: the others may pass it in a fence`);
    } else if (leaseLeft > 0 && lost.lease !== null) {
      tell(leaseRegained, lost.lease, (s) => `this proxy (${self}) has a lease again, after ${inWords(s)}`);
      lost.lease = null;
    }
  }

  #observeClaims(before: SeenFleet, seen: SeenFleet): void {
    const change = seen.ring?.state.change?.id ?? null;
    if (change !== this.#change) this.#lastHolders.clear();
    this.#change = change;
    if (before.claims === seen.claims) return;
    const holders = holdersOf(before);
    const now = holdersOf(seen);
    for (const job of new Set([...holders.keys(), ...now.keys()])) {
      const was = holders.get(job) ?? null;
      const is = now.get(job) ?? null;
      if (was === is) continue;
      if (job === COORDINATOR) tellCoordinator(seen.self, is, was);
      else this.#tellJob(job, is, was, seen.self);
    }
  }

  #tellJob(job: string, proxy: string | null, was: string | null, self: string): void {
    if (was !== null) this.#lastHolders.set(job, was);
    const last = this.#lastHolders.get(job) ?? null;
    const before = last === proxy ? null : last;
    if (proxy !== null) {
      const summary = `proxy ${proxy} has the job ${job}${before === null ? '' : `, which proxy ${before} had`}`;
      tell<JobEvent>(jobTaken, { job, proxy, before, own: proxy === self, summary });
    } else if (was !== null) {
      const summary = `proxy ${was} does not have the job ${job} any more`;
      tell<JobEvent>(jobLost, { job, proxy: was, before: null, own: was === self, summary });
    }
  }
}

function observeMembers(before: SeenFleet, seen: SeenFleet): void {
  if (before.members === seen.members) return;
  const was = new Map(before.members.map((member) => [member.id, member]));
  const now = new Map(seen.members.map((member) => [member.id, member]));
  const gone = before.members.filter(({ id }) => !now.has(id));
  const told = (member: FleetMember, summary: string): MemberEvent => ({
    proxy: member.id,
    admin: member.info?.admin ?? '',
    own: member.id === seen.self,
    members: seen.members.length,
    summary: `proxy ${nameOf(member)} ${summary}`,
  });
  for (const member of gone) {
    if (member.alive && !member.fencedOff) tell(memberLeft, told(member, `has left the fleet${sizeOf(seen)}`));
    else tell(memberForgotten, told(member, `was forgotten: no fence waits for it any more${sizeOf(seen)}`));
  }
  for (const member of seen.members) {
    const earlier = was.get(member.id);
    if (earlier === undefined) {
      const old = [...before.members].find((other) => isSameProxy(other, member, before, seen));
      if (old === undefined) tell(memberJoined, told(member, `has joined the fleet${sizeOf(seen)}`));
      else
        tell<RejoinedEvent>(memberRejoined, { ...told(member, `has joined anew: it was ${old.id}`), before: old.id });
      continue;
    }
    if (member.fencedOff && !earlier.fencedOff) {
      tell(
        memberFencedOff,
        told(member, 'was fenced off: it may not speak to nodes any more, and joins anew when it can'),
      );
    }
    // Of itself it tells when its lease has run out.
    if (member.alive === earlier.alive || member.id === seen.self) continue;
    if (member.alive) tell(memberBack, told(member, 'has a lease again'));
    else tell(memberAway, told(member, 'has lost its lease: it died, stands still, or is cut off from etcd'));
  }
}

function isSameProxy(old: FleetMember, member: FleetMember, before: SeenFleet, seen: SeenFleet): boolean {
  if (old.id === before.self) return member.id === seen.self;
  const admin = old.info?.admin ?? '';
  return admin !== '' && admin === member.info?.admin && (old.fencedOff || !old.alive);
}

function tellCoordinator(self: string, proxy: string | null, before: string | null): void {
  const whose = before === null ? '' : `, which proxy ${before} was`;
  const summary =
    proxy === null
      ? `nobody decides about the ring: proxy ${before} does not any more, another one takes it in a moment`
      : `proxy ${proxy} is the coordinator${whose}: it decides about the ring`;
  tell<CoordinatorEvent>(coordinatorChanged, { proxy, before, own: proxy === self, summary });
}

function holdersOf({ claims }: SeenFleet): Map<string, string> {
  return new Map(claims.map(({ job, holder }) => [job, holder]));
}

function tell<Event extends object = MemberEvent>(channel: Channel, event: Event): void {
  if (channel.hasSubscribers) channel.publish(event);
}

function nameOf({ id, info }: FleetMember): string {
  return info === null || info.admin === '' ? id : `${id} (${info.admin})`;
}

function sizeOf({ members }: SeenFleet): string {
  return `; it has ${members.length} ${members.length === 1 ? 'member' : 'members'} now`;
}

/** @param seconds with one decimal while it is short */
function inWords(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}
