/** What stands in etcd's keys, as JSON. */
import { z } from 'zod';
import type { HistoryEntry } from '../../../admin/api.js';
import { RingproxyError } from '../../../errors.js';
import type { KeyValue } from '../../../etcd/index.js';
import type { Claim, FleetMember, MoveRecord, Revision } from '../../state/fleet.js';
import { RECORD_FORMAT, type RingState, recordFormat } from '../../state/ring-state.js';
import { GROUPS_FORMAT, type GroupsRecord, groupsRecord, type StoredGroups } from '../group-records.js';
import { MASTER_FORMAT, type MasterRecord, masterRecord, type StoredMaster } from '../master-records.js';
import { historyEntry, nodeProcesses, ringState } from '../ring-schema.js';
import type { StoredRing } from '../ring-store.js';

/** The ring, and which write that was. */
export interface RingRecord {
  readonly state: RingState;
  /** The revision that it has replaced; null: it was the first. */
  readonly previous: Revision | null;
  /** What tells this write from every other: who got no answer finds out by it whether it was carried out. */
  readonly write: string;
}

const envelope = z.object({ format: z.number().int().positive() });
const ringRecord = z.object({
  state: ringState,
  previous: z.number().int().nullable().default(null),
  write: z.string().default(''),
});

export function writeRing({ state, previous, write }: RingRecord): string {
  return JSON.stringify({ format: recordFormat(state), previous, write, state });
}

/** @throws RingproxyError when this version does not understand it */
export function readRing(kv: KeyValue): RingRecord {
  const body = parse(kv.value);
  const { success, data } = envelope.safeParse(body);
  if (success && data.format > RECORD_FORMAT) {
    throw new RingproxyError(
      'RING_FORMAT',
      `the ring in etcd (${kv.key}) is recorded in format ${data.format}, and this version understands ${RECORD_FORMAT}`,
    );
  }
  const record = ringRecord.safeParse(body);
  if (!success || !record.success) throw new RingproxyError('RING_RECORD', `${kv.key} in etcd holds no ring`);
  return record.data;
}

/** @throws RingproxyError when this version does not understand it */
export function storedRing(kv: KeyValue): StoredRing {
  return { revision: kv.mod_revision, state: readRing(kv).state };
}

/** Groups of keys; `previous` and `write` as in `RingRecord`. */
export interface WrittenGroups {
  readonly record: GroupsRecord;
  readonly previous: Revision | null;
  readonly write: string;
}

const writtenGroups = z.object({
  record: groupsRecord,
  previous: z.number().int().nullable(),
  write: z.string(),
});

export function writeGroups(written: WrittenGroups): string {
  return JSON.stringify({ format: GROUPS_FORMAT, ...written });
}

/** @throws RingproxyError when this version does not understand it */
export function readGroups(kv: KeyValue): WrittenGroups {
  const body = parse(kv.value);
  const { success, data } = envelope.safeParse(body);
  if (success && data.format > GROUPS_FORMAT) {
    throw new RingproxyError(
      'RING_FORMAT',
      `the groups of keys in etcd (${kv.key}) are recorded in format ${data.format}, and this version understands ${GROUPS_FORMAT}`,
    );
  }
  const read = writtenGroups.safeParse(body);
  if (!success || !read.success) throw new RingproxyError('RING_RECORD', `${kv.key} in etcd holds no groups of keys`);
  return read.data;
}

/** @throws RingproxyError when this version does not understand it */
export function storedGroups(kv: KeyValue): StoredGroups {
  return { revision: kv.mod_revision, record: readGroups(kv).record };
}

/** Where the master of a node is; `previous` and `write` as in `RingRecord`. */
export interface WrittenMaster {
  readonly record: MasterRecord;
  readonly previous: Revision | null;
  readonly write: string;
}

const writtenMaster = z.object({
  record: masterRecord,
  previous: z.number().int().nullable(),
  write: z.string(),
});

export function writeMaster(written: WrittenMaster): string {
  return JSON.stringify({ format: MASTER_FORMAT, ...written });
}

/** @throws RingproxyError when this version does not understand it */
export function readMaster(kv: KeyValue): WrittenMaster {
  const body = parse(kv.value);
  const { success, data } = envelope.safeParse(body);
  const read = writtenMaster.safeParse(body);
  if (!success || data.format > MASTER_FORMAT || !read.success) {
    throw new RingproxyError('RING_RECORD', `${kv.key} in etcd does not say where the master of a node is`);
  }
  return read.data;
}

/** @throws RingproxyError when this version does not understand it */
export function storedMaster(kv: KeyValue): StoredMaster {
  return { revision: kv.mod_revision, record: readMaster(kv).record };
}

/** A member without what only etcd knows of it. */
export type MemberRecord = Omit<FleetMember, 'id' | 'alive'>;

const memberRecord = z.object({
  fencedOff: z.boolean(),
  answer: z.object({ revision: z.number().int(), acknowledged: z.boolean(), why: z.string() }).nullable(),
  info: z
    .object({
      admin: z.string(),
      version: z.string(),
      workers: z.number(),
      startedAt: z.string(),
      format: z.number(),
      agreesOnMasters: z.boolean().optional(),
    })
    .nullable(),
});

export function writeMember(record: MemberRecord): string {
  const { fencedOff, answer, info } = record;
  return JSON.stringify({ fencedOff, answer, info });
}

/** A member whose record is not understood is one that has said nothing: no fence passes it by. */
export function readMember(kv: KeyValue): MemberRecord {
  const { success, data } = memberRecord.safeParse(parse(kv.value));
  return success ? data : { fencedOff: false, answer: null, info: null };
}

const claimRecord = z.object({
  job: z.string(),
  holder: z.string(),
  since: z.string(),
  write: z.string(),
});

/** Who has a job; `write` as in `RingRecord`. */
export type ClaimRecord = z.infer<typeof claimRecord>;

export function writeClaim(record: ClaimRecord): string {
  return JSON.stringify(record);
}

/** @returns null: that is no claim */
export function readClaim(kv: KeyValue): ClaimRecord | null {
  const { success, data } = claimRecord.safeParse(parse(kv.value));
  return success ? data : null;
}

export function claimOf({ job, holder, since }: ClaimRecord, revision: Revision): Claim {
  return { job, holder, revision, since };
}

const moveRecord = z.object({
  source: z.string(),
  swept: z.boolean(),
  keysMoved: z.number(),
  keysScanned: z.number(),
  bytesMoved: z.number(),
  keysDropped: z.number(),
  largeKey: z.object({ key: z.string(), bytes: z.number() }).nullable(),
  processes: nodeProcesses,
  error: z.string().nullable(),
  paused: z.boolean().default(false),
});

export function writeMove(record: MoveRecord): string {
  return JSON.stringify(record);
}

/** @returns null: that is no such record; its source counts as one of which nothing is known */
export function readMove(kv: KeyValue): MoveRecord | null {
  const { success, data } = moveRecord.safeParse(parse(kv.value));
  return success ? data : null;
}

export function writeEntry(entry: HistoryEntry): string {
  return JSON.stringify(entry);
}

/** @returns null: that is none */
export function readEntry(kv: KeyValue): HistoryEntry | null {
  const { success, data } = historyEntry.safeParse(parse(kv.value));
  return success ? data : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
