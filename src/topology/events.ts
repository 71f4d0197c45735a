/** What the ring tells, on `node:diagnostics_channel`; public as those of `proxy/events.ts`. */
import { channel } from 'node:diagnostics_channel';
import type { ChangeKind, RingPhase } from '../admin/api.js';
import type { StoredGroups } from './store/group-records.js';

/** Commands are routed by another ring from now on, or by the same one in another phase. */
export interface RingGenerationEvent {
  generation: number;
  /** The nodes' names. */
  nodes: string[];
  /** For the log. */
  summary: string;
}

/** A change has begun, gone on to its next phase, was paused or resumed, was turned round, or was given up. */
export interface RingChangeEvent {
  /** The change's id. */
  change: string;
  kind: ChangeKind;
  /** The generation that commands are routed by. */
  generation: number;
  phase: RingPhase;
  /** Why it was paused; null where a person did that, and for all other events. */
  error: string | null;
  summary: string;
}

/** A node was taken out of the ring since it did not answer, or is none of those any more. */
export interface NodeEjectionEvent {
  node: string;
  address: string;
  /** Since when it is ejected: ISO date. */
  since: string;
  /** Why it was ejected. */
  why: string;
  /** How often it was lately, this time included. */
  times: number;
  summary: string;
}

/** A change is done. */
export interface RingFinishedEvent extends RingChangeEvent {
  /** By this proxy, since the change began or the proxy started. */
  keysMoved: number;
  bytesMoved: number;
  seconds: number;
}

/** Keys are told apart by other groups from now on, or are cached otherwise. */
export interface GroupsChangedEvent {
  /** Where they stand: with the ring, or in the configuration of each proxy. */
  source: 'ring' | 'configuration';
  /** The groups' names. */
  groups: string[];
  /** The id of the proxy at which it was asked for. */
  by: string;
  summary: string;
}

const ringGeneration = channel('ringproxy:ring:generation');
export const changeBegun = channel('ringproxy:ring:begun');
export const changePhase = channel('ringproxy:ring:phase');
export const changePaused = channel('ringproxy:ring:paused');
export const changeResumed = channel('ringproxy:ring:resumed');
export const changeCancelled = channel('ringproxy:ring:cancelled');
export const changeAbandoned = channel('ringproxy:ring:abandoned');
export const changeFinished = channel('ringproxy:ring:finished');

export const nodeEjected = channel('ringproxy:node:ejected');
export const nodeReturned = channel('ringproxy:node:returned');
export const nodeForgotten = channel('ringproxy:node:forgotten');

const groupsChanged = channel('ringproxy:groups:changed');

/** @param differences in words */
export function publishGroups(
  { record: { groups: written, by } }: StoredGroups,
  groups: readonly { readonly group: string }[],
  differences: readonly string[],
): void {
  if (!groupsChanged.hasSubscribers) return;
  const source = written === null ? 'configuration' : 'ring';
  const what = differences.length === 0 ? 'they are as they were' : differences.join('; ');
  const summary = `groups of keys, as asked for at proxy ${by}: ${what}`;
  const event: GroupsChangedEvent = { source, groups: groups.map(({ group }) => group), by, summary };
  groupsChanged.publish(event);
}

export function publishGeneration(generation: number, nodes: readonly { readonly name: string }[]): void {
  if (!ringGeneration.hasSubscribers) return;
  const names = nodes.map(({ name }) => name);
  const summary = `ring generation ${generation}: ${names.join(', ')}`;
  const event: RingGenerationEvent = { generation, nodes: names, summary };
  ringGeneration.publish(event);
}
