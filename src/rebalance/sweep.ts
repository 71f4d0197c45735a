/** Walks one source: every key of it that moves is handed on, in every database. */
import { isReserved } from '../proxy/route/reserved.js';
import { ReplyError, type ReplyValue } from '../resp/decode.js';
import { request } from '../resp/encode.js';
import type { Rings } from '../ring/rings.js';
import type { NodeLink } from './node-link.js';
import { TransferRefused } from './transfer-refused.js';

export interface SweepHooks {
  link(): Promise<NodeLink>;
  /** COUNT of the next SCAN. */
  scanKeys(): number;
  scanned(keys: number): void;
  /** Keys that are moved together, at most. */
  batchKeys(): number;
  /**
   * Moves these keys; when it returns they are on the target, or were not there.
   * @param waits whether to wait for those that somebody else is moving
   * @returns those that it has not waited for
   */
  move(target: number, database: number, keys: readonly Buffer[], waits: boolean): Promise<readonly Buffer[]>;
  /** Waits as long as the sweep is paused. @returns whether to go on */
  goesOn(): Promise<boolean>;
  /** Takes a step, which may be taken again when it has failed. @returns null when it is given up, and the walk with it */
  persist<T>(step: () => Promise<T>): Promise<T | null>;
}

/** A step is taken once: whoever walks is told of its failure. */
export function once<T>(step: () => Promise<T>): Promise<T> {
  return step();
}

/**
 * A complete SCAN finds every moved key, since none can appear on the source any more. What a page has of them is mostly
 * less than a batch, which costs both nodes nearly as much as a full one: so batches are gathered over pages.
 * @throws NodeFailure, TransferRefused
 */
export async function sweepSource(source: number, rings: Rings, hooks: SweepHooks): Promise<void> {
  let database = 0;
  /** By target, and by the key itself, since SCAN may name one twice. */
  const gathered = new Map<number, Map<string, Buffer>>();
  /** By target: what clients were having moved. The others do not wait for it. */
  const passedOver = new Map<number, Buffer[]>();
  const moveBatch = async (target: number, waiting: Map<string, Buffer>): Promise<void> => {
    const batch: Buffer[] = [];
    for (const [name, key] of waiting) {
      if (batch.length === hooks.batchKeys()) break;
      batch.push(key);
      waiting.delete(name);
    }
    const left = await hooks.move(target, database, batch, false);
    if (left.length > 0) passedOver.set(target, [...(passedOver.get(target) ?? []), ...left]);
  };
  const moveRest = async (): Promise<void> => {
    for (const [target, waiting] of gathered) while (waiting.size > 0) await moveBatch(target, waiting);
    for (const [target, keys] of passedOver) await hooks.move(target, database, keys, true);
    passedOver.clear();
  };
  const isWalked = await walkNode(hooks, async (of, keys) => {
    if (of !== database) await moveRest();
    database = of;
    for (const [target, moving] of byTarget(source, rings, keys)) {
      const waiting = gathered.get(target) ?? new Map<string, Buffer>();
      gathered.set(target, waiting);
      for (const key of moving) waiting.set(key.toString('latin1'), key);
      while (waiting.size >= hooks.batchKeys()) await moveBatch(target, waiting);
    }
  });
  if (isWalked) await moveRest();
}

export interface WalkHooks extends Pick<SweepHooks, 'link' | 'scanKeys' | 'scanned' | 'goesOn' | 'persist'> {
  /** Only keys that this fits are handed on: a glob, as of SCAN's MATCH. */
  readonly match?: string;
}

/** A page of SCAN. */
interface Page {
  readonly cursor: string;
  readonly keys: Buffer[];
}

/**
 * Walks all keys of a node, in every database. A page that could not be read is asked for again: a walk that began anew at
 * each connection that is lost would not end on a network that loses some.
 * @param visit is given each page, and waited for
 * @returns false when `goesOn` or `persist` has ended it
 * @throws what `persist` throws: NodeFailure, TransferRefused
 */
export async function walkNode(
  hooks: WalkHooks,
  visit: (database: number, keys: readonly Buffer[]) => Promise<void>,
): Promise<boolean> {
  const start = await hooks.persist(async () => {
    const link = await hooks.link();
    return { link, databases: await usedDatabases(link) };
  });
  if (start === null) return false;
  for (const database of start.databases) {
    let cursor = '0';
    do {
      if (!(await hooks.goesOn())) return false;
      const page = await hooks.persist(() => nextPage(hooks, start.link, database, cursor));
      if (page === null) return false;
      if (page === 'restarted') return walkNode(hooks, visit);
      cursor = page.cursor;
      hooks.scanned(page.keys.length);
      await visit(database, page.keys);
    } while (cursor !== '0');
  }
  const end = await hooks.persist(() => hooks.link());
  return end !== null && (isSameProcess(start.link, end) || walkNode(hooks, visit));
}

/** A cursor means nothing to a process that was started since: keys would be passed over. */
async function nextPage(
  hooks: WalkHooks,
  before: NodeLink,
  database: number,
  cursor: string,
): Promise<Page | 'restarted'> {
  const link = await hooks.link();
  if (!isSameProcess(before, link)) return 'restarted';
  const match = hooks.match === undefined ? [] : ['MATCH', hooks.match];
  const [reply] = await link.exchange(
    [request(['SCAN', cursor, ...match, 'COUNT', String(hooks.scanKeys())])],
    1,
    database,
  );
  return readPage(link, reply ?? null);
}

/** A node that does not say which process it is may be another one behind each link. */
function isSameProcess(before: NodeLink, link: NodeLink): boolean {
  return link === before || (link.runId !== '' && link.runId === before.runId);
}

/**
 * A node that loads its data answers INFO, with what it has until now: whole databases may be missing.
 * @throws TransferRefused
 */
async function usedDatabases(link: NodeLink): Promise<number[]> {
  const sections = ['persistence', 'keyspace'].map((section) => request(['INFO', section]));
  const [persistence, reply] = await link.exchange(sections, sections.length, 0);
  if (!Buffer.isBuffer(persistence)) throw TransferRefused.by(link, persistence ?? null, 'INFO');
  if (/^loading:1/m.test(persistence.toString())) {
    throw TransferRefused.by(link, new ReplyError('LOADING it loads its data'), 'INFO');
  }
  if (!Buffer.isBuffer(reply)) throw TransferRefused.by(link, reply ?? null, 'INFO');
  return [...reply.toString().matchAll(/^db(\d+):keys=/gm)].map((match) => Number(match[1]));
}

function readPage(link: NodeLink, reply: ReplyValue): Page {
  if (Array.isArray(reply)) {
    const [cursor, keys] = reply;
    if (Buffer.isBuffer(cursor) && Array.isArray(keys))
      return { cursor: cursor.toString(), keys: keys.filter(Buffer.isBuffer) };
  }
  throw TransferRefused.by(link, reply, 'SCAN');
}

function byTarget(source: number, rings: Rings, keys: readonly Buffer[]): Map<number, Buffer[]> {
  const found = new Map<number, Buffer[]>();
  for (const key of keys) {
    const hash = rings.hashOf(key, 0, key.length);
    const target = rings.nextOwnerOf(hash);
    // What is not this node's by the old ring is not the ring's to move.
    if (target === source || rings.ownerOf(hash) !== source || isReserved(key, 0, key.length)) continue;
    const moving = found.get(target);
    if (moving === undefined) found.set(target, [key]);
    else moving.push(key);
  }
  return found;
}

/** Those of the keys that move from `source` to `target`. */
export function movingBetween(source: number, target: number, rings: Rings, keys: readonly Buffer[]): Buffer[] {
  return byTarget(source, rings, keys).get(target) ?? [];
}
