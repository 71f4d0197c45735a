/** Fleets as a proxy may see them. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Claim, FleetMember } from '../../../src/topology/state/fleet.js';
import { firstState, type RunningChange } from '../../../src/topology/state/ring-state.js';
import type { StoredRing } from '../../../src/topology/store/ring-store.js';
import type { SeenFleet } from '../../../src/topology/views/fleet-sight.js';
import { atEnd } from '../../support/cleanup.js';

export function member(id: string, fields: Partial<FleetMember> & { readonly admin?: string } = {}): FleetMember {
  const { admin = `http://h:${id}`, ...rest } = fields;
  const info = { admin, version: '1.0.0', workers: 2, startedAt: '2026-01-01T00:00:00.000Z', format: 1 };
  return { id, alive: true, fencedOff: false, answer: null, info, ...rest };
}

export function claims(holders: Readonly<Record<string, string>>): Claim[] {
  return Object.entries(holders).map(([job, holder], index) => ({
    job,
    holder,
    revision: index + 1,
    since: '2026-01-01T00:00:00.000Z',
  }));
}

const OPTIONS = { hash: 'murmur3', distribution: 'ketama', hashTag: '', vnodes: 8, weighting: 'own' } as const;

/** @param change a change of the ring that is under way, with what is not said of it left as it may be */
export function ring(revision: number, generation = 1, change: Partial<RunningChange> | null = null): StoredRing {
  const state = { ...firstState([{ name: 'a', address: '127.0.0.1:1', weight: 1 }], OPTIONS), generation };
  const fields = {
    id: 'c1',
    kind: 'add',
    phase: 'preparing',
    members: state.members,
    undrained: [],
    processes: [],
  } as const;
  const said = { startedAt: '2026-01-01T00:00:00.000Z', summary: 'add b' };
  return { revision, state: { ...state, change: change === null ? null : { ...fields, ...said, ...change } } };
}

export function seen(fields: Partial<SeenFleet> = {}): SeenFleet {
  return {
    self: 'a',
    ring: ring(1),
    members: [member('a')],
    claims: [],
    consistency: 'strict',
    isReachable: true,
    isRingGone: false,
    leaseLeft: 8000,
    ...fields,
  };
}

/** @returns the events of these channels from here on */
export function listen(...channels: string[]): { channel: string; event: Record<string, unknown> }[] {
  const heard: { channel: string; event: Record<string, unknown> }[] = [];
  for (const channel of channels) {
    const handler = (event: unknown): void => void heard.push({ channel, event: { ...(event as object) } });
    subscribe(`ringproxy:${channel}`, handler);
    atEnd(() => void unsubscribe(`ringproxy:${channel}`, handler));
  }
  return heard;
}
