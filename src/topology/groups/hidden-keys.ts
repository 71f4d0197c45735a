/**
 * Which keys are looked for elsewhere after a change of the groups: a replicated group's are in the memory of proxies,
 * all others' on nodes. Those that are there already are not seen any more then. Pure.
 */
import type { HiddenKeysView } from '../../admin/api.js';
import type { CacheType, KeyGroup } from '../../proxy/caching/policy.js';

/** Where keys are, and are not looked for any more. */
export type HiddenFrom = 'nodes' | 'proxies';

/** Keys of one place that a change hides. */
export interface HiddenKeys {
  readonly from: HiddenFrom;
  /** What they begin with; some that begin so may be of a longer prefix that stays. */
  readonly prefixes: readonly string[];
  /** A glob that fits all of them, and may fit others, too. */
  readonly glob: string;
  /** @param key a character for each byte */
  has(key: string): boolean;
}

/** @returns what is hidden, by where it is; empty: nothing can be */
export function hiddenKeys(before: readonly KeyGroup[], after: readonly KeyGroup[]): HiddenKeys[] {
  // Of keys that begin with none of them, nothing changes. Of those that begin with several, the longest one says all.
  const prefixes = [...new Set([...before, ...after].flatMap((group) => group.prefixes))]
    .map((prefix) => ({
      prefix,
      bytes: latin1(prefix),
      from: hiddenFrom(typeOf(before, prefix), typeOf(after, prefix)),
    }))
    .sort((one, other) => other.bytes.length - one.bytes.length);
  const fromOf = (key: string): HiddenFrom | null => prefixes.find(({ bytes }) => key.startsWith(bytes))?.from ?? null;
  return (['nodes', 'proxies'] as const).flatMap((from) => {
    const hidden = prefixes.filter((one) => one.from === from).map(({ prefix }) => prefix);
    if (hidden.length === 0) return [];
    return [{ from, prefixes: hidden, glob: globOf(hidden), has: (key: string) => fromOf(key) === from }];
  });
}

/** @returns which keys are of replicated groups: no node should have them */
export function keysOfNoNode(groups: readonly KeyGroup[]): (key: Buffer) => boolean {
  if (!groups.some(({ policy }) => policy?.cache === 'replicated')) return () => false;
  const inBytes = groups.map((group) => ({ ...group, prefixes: group.prefixes.map(latin1) }));
  return (key) => typeOf(inBytes, key.toString('latin1')) === 'replicated';
}

/** @returns whether a change that hides this needs an operator's word: keys were found, or it is not known */
export function needsForce(found: readonly HiddenKeysView[]): boolean {
  return found.some(({ keys, complete }) => keys > 0 || !complete);
}

/** For people: what is hidden, and where. */
export function describeHidden(found: readonly HiddenKeysView[]): string {
  const telling = found.filter((one) => needsForce([one]));
  const what = telling.some(({ keys }) => keys > 0)
    ? 'keys that are there would not be seen any more'
    : 'it is not known whether there are keys that would not be seen any more';
  return `${what}: ${telling.map(describe).join('; ')}`;
}

function describe({ node, address, prefixes, keys, complete, error }: HiddenKeysView): string {
  const named = prefixes.map((prefix) => `'${prefix}…'`).join(', ');
  const where = node === null ? 'in the proxies' : `on ${node} (${address})`;
  if (error !== null) return `${where} ${named} could not be looked for: ${error}`;
  return `${complete ? keys : `at least ${keys}`} of ${named} ${where}${complete ? '' : ', where not all were looked at'}`;
}

function hiddenFrom(was: CacheType, is: CacheType): HiddenFrom | null {
  if ((was === 'replicated') === (is === 'replicated')) return null;
  return was === 'replicated' ? 'proxies' : 'nodes';
}

/** Of a key that is this prefix and nothing else. */
function typeOf(groups: readonly KeyGroup[], key: string): CacheType {
  let longest = '';
  let type: CacheType = 'sharded';
  for (const { prefixes, policy } of groups) {
    for (const prefix of prefixes) {
      if (prefix.length <= longest.length || !key.startsWith(prefix)) continue;
      longest = prefix;
      type = policy?.cache ?? 'sharded';
    }
  }
  return type;
}

/** Nodes send only keys that it fits: what all prefixes begin with. */
function globOf(prefixes: readonly string[]): string {
  const [first = '', ...others] = prefixes;
  let length = first.length;
  for (const other of others) {
    let same = 0;
    while (same < length && other[same] === first[same]) same++;
    length = same;
  }
  // Half of a character is not the same bytes.
  if (/[\ud800-\udbff]/.test(first[length - 1] ?? '')) length--;
  return `${first.slice(0, length).replace(/[\\*?[\]]/g, '\\$&')}*`;
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
