import { createRequire } from 'node:module';
import { type AclCategory, categoriesOf, knownCategories } from './acl.js';
import type { AwaitsFill, TtlBehind, Waits } from './columns.js';
import type { Command, KeySpec, Merge, Route } from './command.js';
import { POLICY, type PolicyRow } from './policy.js';
import { keySpecsOf, type KeySpec as RightsKeySpec } from './rights/access.js';
import { derivedKeySpecs, toldKeySpecs } from './rights/other-access.js';
import { CommandTable } from './table.js';

/** What is known of a command from the kept library's data or from a node's COMMAND. */
export interface CommandInfo {
  /** Lower case. */
  readonly name: string;
  readonly arity: number;
  readonly flags: readonly string[];
  readonly firstKey: number;
  readonly lastKey: number;
  readonly step: number;
  /** ACL categories, as far as the node has said them; otherwise they follow from the flags and the row. */
  readonly categories?: readonly AclCategory[];
  /** What it does with its keys, as far as the node has said it; otherwise that follows from the flags and the row. */
  readonly keySpecs?: readonly RightsKeySpec[];
  readonly subcommands: readonly CommandInfo[];
}

interface LibraryRow {
  readonly arity: number;
  readonly flags: readonly string[];
  readonly keyStart: number;
  readonly keyStop: number;
  readonly step: number;
  readonly subcommands?: Readonly<Record<string, LibraryRow>>;
}

/** The id under which commands are counted that no row describes, or that are too many. */
export const UNKNOWN_COMMAND_ID = 0;
/** There are no larger ones: requests have 12 bits for them. */
export const MOST_COMMAND_ID = 4095;

/** A command that may wait, of which no row says how. */
const WAITS_UNKNOWN: Waits = {
  timeoutAt: 'unknown',
  unit: 'seconds',
  nil: 'array',
  fromNewest: false,
  takes: 'unknown',
};

/** Of a write that no row describes. */
const UNKNOWN_TTL: TtlBehind = { of: 'every', isNew: true, isAny: true };

/** Commands of containers that are refused or routed as a whole. */
const POLICIES: Readonly<Record<string, PolicyRow>> = POLICY;

/**
 * @param extra what the nodes know beyond the library's data, so that modules' and newer commands work
 */
export function buildCommandTable(extra: readonly CommandInfo[] = []): CommandTable {
  const infos = new Map<string, CommandInfo>();
  for (const info of libraryCommands()) infos.set(info.name, info);
  for (const info of extra) if (!infos.has(info.name)) infos.set(info.name, info);
  let nextId = UNKNOWN_COMMAND_ID + 1;
  const takeId = (): number => (nextId <= MOST_COMMAND_ID ? nextId++ : UNKNOWN_COMMAND_ID);
  return new CommandTable([...infos.values()].map((info) => buildRow(info, info.name, takeId(), null)));
}

/** Reads a node's reply to COMMAND, as ioredis gives it; entries that are not understood are left out. */
export function parseCommandReply(reply: unknown): CommandInfo[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((entry: unknown) => {
    const info = parseEntry(entry);
    return info === null ? [] : [info];
  });
}

function parseEntry(entry: unknown): CommandInfo | null {
  if (!Array.isArray(entry)) return null;
  const [name, arity, flags, first, last, step]: unknown[] = entry;
  if (typeof name !== 'string' || typeof arity !== 'number') return null;
  const categories: unknown = entry[6];
  const keySpecs = toldKeySpecs(entry[8], Array.isArray(flags) ? flags.map(String) : []);
  const subcommands: unknown = entry[9];
  const lower = name.toLowerCase();
  return {
    name: lower.slice(lower.indexOf('|') + 1),
    arity,
    flags: Array.isArray(flags) ? flags.map(String) : [],
    firstKey: Number(first),
    lastKey: Number(last),
    step: Number(step),
    ...(Array.isArray(categories) ? { categories: knownCategories(categories.map(String)) } : {}),
    ...(keySpecs === null ? {} : { keySpecs }),
    subcommands: parseCommandReply(subcommands),
  };
}

function libraryCommands(): CommandInfo[] {
  const load = createRequire(import.meta.url);
  const rows: Readonly<Record<string, LibraryRow>> = load('@ioredis/commands/built/commands.json');
  return Object.entries(rows).map(([name, row]) => fromLibrary(name, row));
}

function fromLibrary(name: string, row: LibraryRow): CommandInfo {
  return {
    name: name.toLowerCase(),
    arity: row.arity,
    flags: row.flags,
    firstKey: row.keyStart,
    lastKey: row.keyStop,
    step: row.step,
    subcommands: Object.entries(row.subcommands ?? {}).map(([sub, subRow]) => fromLibrary(sub, subRow)),
  };
}

function buildRow(info: CommandInfo, name: string, id: number, container: PolicyRow | null): Command {
  const own = POLICIES[name] ?? {};
  const policy = POLICIES[name] ?? container ?? {};
  const keys = policy.keys ?? rangeOf(info);
  const route = policy.route ?? defaultRoute(info, keys);
  const merge: Merge = policy.merge ?? 'none';
  const special = own.special ?? null;
  const inherited = POLICIES[name] !== undefined && policy.route !== undefined ? policy : null;
  const subcommands =
    info.subcommands.length === 0
      ? null
      : new CommandTable(info.subcommands.map((sub) => buildRow(sub, `${name}|${sub.name}`, id, inherited)));
  return Object.freeze({
    name,
    id,
    arity: info.arity,
    write: info.flags.includes('write'),
    readOnly: info.flags.includes('readonly'),
    admin: info.flags.includes('admin'),
    route,
    merge,
    tolerance: policy.tolerance ?? (route === 'any' ? 'rest' : 'nothing'),
    keys,
    singleKeyAt: subcommands === null && special === null ? singleKeyAt(info, route, keys) : 0,
    splitStep: route === 'split' ? info.step : 0,
    reason: policy.reason ?? '',
    special,
    everywhere: own.everywhere ?? null,
    administration: own.administration ?? null,
    cacheRead: own.cacheRead ?? 'none',
    missingReply: own.missingReply ?? null,
    nearRead: own.nearRead ?? 'never',
    awaitsFill: own.awaitsFill ?? awaitsFillOf(own),
    ownWrite: own.ownWrite ?? 'none',
    onReplicated: own.onReplicated ?? 'other value',
    ttlBehind: own.ttlBehind ?? (isForeignWrite(name, info, route) ? UNKNOWN_TTL : null),
    ttlGiven: own.ttlGiven ?? null,
    extends: own.extends ?? null,
    waits: own.waits ?? (info.flags.includes('blocking') ? WAITS_UNKNOWN : null),
    crossNode: own.crossNode ?? 'refused',
    inTransaction: own.inTransaction ?? (route === 'proxy' ? 'refused' : 'queued'),
    transactionStep: own.transactionStep ?? null,
    whileSubscribed: own.whileSubscribed ?? 'refused',
    beforeAuth: own.beforeAuth ?? false,
    onAllKeys: own.onAllKeys ?? false,
    replicated: own.replicated ?? false,
    whilePaused: own.whilePaused ?? false,
    keepsCaching: own.keepsCaching ?? false,
    publishes: own.publishes ?? null,
    secrets: own.secrets ?? null,
    categories: info.categories ?? categoriesOf(info.flags, own.acl ?? []),
    keySpecs: keySpecsOf(name) ?? info.keySpecs ?? derivedKeySpecs(info.flags, keys),
    isOfModule: info.flags.includes('module'),
    subcommands,
  });
}

/** Of a read of one key whose reply is nothing but a value: what it answers when there is none. */
function awaitsFillOf({ missingReply, nearRead }: PolicyRow): AwaitsFill {
  const isOfValue = nearRead !== undefined && (missingReply === 'nil' || missingReply === 'empty');
  return isOfValue ? 'like missing' : 'never';
}

function rangeOf(info: CommandInfo): KeySpec {
  if (info.firstKey <= 0) return { kind: 'none' };
  return { kind: 'range', first: info.firstKey, last: info.lastKey, step: Math.max(1, info.step) };
}

/** A command of a module, or of a newer version, that may make keys for all that is known. */
function isForeignWrite(name: string, info: CommandInfo, route: Route): boolean {
  return POLICIES[name] === undefined && route === 'owner' && info.flags.includes('write');
}

/** A command without keys that no row describes could do anything to a node: it is refused. */
function defaultRoute(info: CommandInfo, keys: KeySpec): Route {
  if (keys.kind !== 'none') return 'owner';
  return info.flags.includes('admin') || info.flags.includes('write') ? 'admin' : 'any';
}

function singleKeyAt(info: CommandInfo, route: Route, keys: KeySpec): number {
  if (route !== 'owner' || keys.kind !== 'range' || info.flags.includes('movablekeys')) return 0;
  return keys.last === keys.first ? keys.first : 0;
}
