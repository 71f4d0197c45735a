/** What commands do with their keys of which the table does not say it: newer ones, and modules'. */
import type { KeySpec as Places } from '../command.js';
import { type KeySpec, READ, UNKNOWN_KEYS, WRITE } from './access.js';

/** By its flags and by where its keys stand: one that writes counts as reading and writing all of them. */
export function derivedKeySpecs(flags: readonly string[], keys: Places): readonly KeySpec[] {
  const access = flags.includes('write') || !flags.includes('readonly') ? READ | WRITE : READ;
  const range = (first: number, last: number, step = 1): KeySpec => {
    const behind = last < 0 ? last : last - first;
    return { kind: 'range', access, first, word: null, last: behind, step, part: 0 };
  };
  switch (keys.kind) {
    case 'none':
      return flags.includes('movablekeys') ? UNKNOWN_KEYS : [];
    case 'range':
      return flags.includes('movablekeys') ? UNKNOWN_KEYS : [range(keys.first, keys.last, keys.step)];
    case 'numkeys': {
      if (keys.step !== 1) return UNKNOWN_KEYS;
      const counted: KeySpec = { kind: 'count', access, first: keys.at, word: null };
      return keys.also === 0 ? [counted] : [range(keys.also, keys.also), counted];
    }
    default:
      return UNKNOWN_KEYS;
  }
}

/**
 * What a node says of it (the ninth entry of COMMAND, from Redis 7.0 on).
 * @returns null: nothing
 */
export function toldKeySpecs(reply: unknown, flags: readonly string[]): readonly KeySpec[] | null {
  if (!Array.isArray(reply) || reply.length === 0) return null;
  if (flags.includes('movablekeys')) return UNKNOWN_KEYS;
  const specs = reply.map(toldSpec);
  const known = specs.filter((spec) => spec !== null);
  return known.length === specs.length ? known : UNKNOWN_KEYS;
}

function toldSpec(reply: unknown): KeySpec | null {
  const { flags, begin_search: begin, find_keys: find } = fields(reply);
  const words = Array.isArray(flags) ? flags.map(String) : [];
  const { type: beginType, spec: beginSpec } = fields(begin);
  const { type: findType, spec: findSpec } = fields(find);
  const { index, keyword, startfrom } = fields(beginSpec);
  const { lastkey, keystep, limit } = fields(findSpec);
  if (words.includes('incomplete') || words.includes('variable_flags') || words.includes('not_key')) return null;
  if (findType !== 'range' || typeof lastkey !== 'number' || typeof keystep !== 'number') return null;
  const writes = words.some((word) => word === 'insert' || word === 'delete' || word === 'update');
  const common = {
    kind: 'range' as const,
    access: (words.includes('access') ? READ : 0) | (writes ? WRITE : 0),
    last: lastkey,
    step: Math.max(1, keystep),
    part: typeof limit === 'number' ? limit : 0,
  };
  if (beginType === 'index' && typeof index === 'number') return { ...common, first: index, word: null };
  if (beginType !== 'keyword' || typeof keyword !== 'string' || typeof startfrom !== 'number') return null;
  return startfrom > 0 ? { ...common, first: startfrom, word: keyword.toLowerCase() } : null;
}

/** A map as RESP2 has it: names and values in turn. */
function fields(reply: unknown): Readonly<Record<string, unknown>> {
  if (!Array.isArray(reply)) return {};
  const entries: [string, unknown][] = [];
  for (let i = 0; i + 1 < reply.length; i += 2) entries.push([String(reply[i]), reply[i + 1]]);
  return Object.fromEntries(entries);
}
