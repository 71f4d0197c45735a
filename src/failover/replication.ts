/** What a server says of its part in replication (INFO replication), and what that tells of a failover: pure. */
import { fieldsOf } from '../resp/info-fields.js';

export interface Replication {
  readonly role: 'master' | 'replica';
  /** Names the history of writes that the server has now; another one from each promotion on. */
  readonly history: string;
  /** The history that it had as a replica before it was promoted; empty: none. */
  readonly formerHistory: string;
  /** Up to where it has that one. Bytes of the replication stream. */
  readonly formerOffset: number;
  /** How far it is in its history. Bytes. */
  readonly offset: number;
}

/** @param info the text of INFO replication @returns null when it is none */
export function readReplication(info: string): Replication | null {
  const field = fieldsOf(info);
  const role = field('role');
  if (role !== 'master' && role !== 'slave') return null;
  const second = field('master_replid2');
  // The first byte that it does not have of the former history.
  const secondOffset = Number(field('second_repl_offset'));
  const hasFormer = /[^0]/.test(second) && secondOffset > 0;
  return {
    role: role === 'master' ? 'master' : 'replica',
    history: field('master_replid'),
    formerHistory: hasFormer ? second : '',
    formerOffset: hasFormer ? secondOffset - 1 : 0,
    offset: Number(field('master_repl_offset')),
  };
}

/** Whether `later` was promoted while it was a replica of `earlier`. */
export function follows(later: Replication, earlier: Pick<Replication, 'history'>): boolean {
  return later.formerHistory !== '' && later.formerHistory === earlier.history;
}

/** Whether `later` has the history of `earlier`, or was promoted while it had it. */
export function goesOnFrom(later: Replication, earlier: Pick<Replication, 'history'>): boolean {
  return later.history === earlier.history || follows(later, earlier);
}

/** How much a former master had done that its successor never heard of: acknowledged writes among it are lost. */
export interface Loss {
  /** Of the replication stream: writes, and the pings in it; 0: nothing is lost. Null: it cannot be told. */
  readonly bytes: number | null;
  /** `at least`: the former master could not be asked at the end, only before. */
  readonly known: 'exactly' | 'at least' | 'not';
}

/**
 * @param atEnd what the former master says when nobody of ours writes there any more; null: it does not answer
 * @param before what it said last before that
 */
export function lossOf(atEnd: Replication | null, before: Replication | null, next: Replication | null): Loss {
  const untold: Loss = { bytes: null, known: 'not' };
  if (next === null) return untold;
  const found = [atEnd, before].find((former) => former !== null && follows(next, former)) ?? null;
  if (found === null) return untold;
  const bytes = Math.max(0, found.offset - next.formerOffset);
  return { bytes, known: found === atEnd ? 'exactly' : 'at least' };
}
