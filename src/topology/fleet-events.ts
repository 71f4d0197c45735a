/** What a fleet tells, on `node:diagnostics_channel`; public as those of `proxy/events.ts`. */
import { channel } from 'node:diagnostics_channel';

/** Something has become of a proxy of the fleet. */
export interface MemberEvent {
  /** Its id. */
  proxy: string;
  /** URL of its admin API; empty where it has none, or it is not known. */
  admin: string;
  /** Whether it is the proxy that tells. */
  own: boolean;
  /** Members that are there now, fenced off or not. */
  members: number;
  /** For the log. */
  summary: string;
}

/** A proxy that was fenced off, or forgotten, has registered anew. */
export interface RejoinedEvent extends MemberEvent {
  /** The id that it had. */
  before: string;
}

/** Another proxy decides about the ring, or nobody does. */
export interface CoordinatorEvent {
  /** Null: nobody, until one takes it. */
  proxy: string | null;
  before: string | null;
  own: boolean;
  summary: string;
}

/** A proxy has begun to do a duty of the fleet, or does not do it any more. */
export interface JobEvent {
  /** Such as `mover/node1`. */
  job: string;
  proxy: string;
  /** Who had it while the same change was under way, or null. */
  before: string | null;
  own: boolean;
  summary: string;
}

/** What the proxies agree on cannot be reached, or can be again; or this proxy's own lease has run out, or holds again. */
export interface StandingEvent {
  proxy: string;
  /** How long it was so; 0 where it has just begun. */
  seconds: number;
  summary: string;
}

/** Nothing was heard for a while of another proxy that is alive, or is again. */
export interface PeerEvent {
  proxy: string;
  /** URL of its admin API; empty where it has none. */
  admin: string;
  /** Since something was heard of it. */
  seconds: number;
  summary: string;
}

/** A fence is raised, was passed, or was given up. */
export interface FenceEvent {
  /** The change's id. */
  change: string;
  /** Of the record that has raised it. */
  revision: number;
  /** The coordinator's id; empty where it is not known. */
  by: string;
  /** What it is for: that keys may move, or that a change is turned round. */
  purpose: 'move' | 'turn round';
  /** For how long it has stood; 0 where it has just been raised. */
  seconds: number;
  /** Of one that was given up: whom it waited for, in words. */
  waitedFor: string[];
  summary: string;
}

export const memberJoined = channel('ringproxy:fleet:joined');
export const memberRejoined = channel('ringproxy:fleet:rejoined');
export const memberLeft = channel('ringproxy:fleet:left');
export const memberAway = channel('ringproxy:fleet:away');
export const memberBack = channel('ringproxy:fleet:back');
export const memberFencedOff = channel('ringproxy:fleet:fenced-off');
export const memberForgotten = channel('ringproxy:fleet:forgotten');
export const coordinatorChanged = channel('ringproxy:fleet:coordinator');
export const jobTaken = channel('ringproxy:fleet:job-taken');
export const jobLost = channel('ringproxy:fleet:job-lost');
export const leaseLost = channel('ringproxy:fleet:lease-lost');
export const leaseRegained = channel('ringproxy:fleet:lease-regained');
export const peerUnheard = channel('ringproxy:fleet:unheard');
export const peerHeard = channel('ringproxy:fleet:heard');
export const storeLost = channel('ringproxy:etcd:lost');
export const storeBack = channel('ringproxy:etcd:back');
export const fenceRaised = channel('ringproxy:fence:raised');
export const fencePassed = channel('ringproxy:fence:passed');
export const fenceGivenUp = channel('ringproxy:fence:given-up');
