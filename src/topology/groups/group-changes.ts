/** What operators ask of the groups of keys, and what becomes of keys then; pure. */
import type { GroupsChange } from '../../admin/api.js';
import { writePolicy } from '../../config/cache-policy.js';
import { fromWritten, type ReadGroups, readKeyGroups, toWritten } from '../../config/key-groups.js';
import { RingproxyError } from '../../errors.js';
import type { KeyGroup } from '../../proxy/caching/policy.js';

/**
 * @param before the groups as they are
 * @returns as they become; null: as configured
 * @throws RingproxyError with everything that is wrong
 */
export function changed(before: readonly KeyGroup[], change: GroupsChange): readonly KeyGroup[] | null {
  switch (change.kind) {
    case 'reset':
      return null;
    case 'all':
      return accepted(readKeyGroups(change.written));
    case 'remove':
      if (!before.some(({ group }) => group === change.group)) throw unknownGroup(change.group, before);
      return before.filter(({ group }) => group !== change.group);
    case 'put':
      return accepted(replaced(before, change.group, change.written));
    case 'set':
      return accepted(replaced(before, change.group, merged(before, change)));
  }
}

/** @returns in words, what differs; empty: nothing */
export function groupDifferences(before: readonly KeyGroup[], after: readonly KeyGroup[]): string[] {
  const find = (groups: readonly KeyGroup[], name: string) => groups.find(({ group }) => group === name);
  const gone = before.filter(({ group }) => find(after, group) === undefined).map(({ group }) => `${group} is gone`);
  const others = after.flatMap((group) => {
    const was = find(before, group.group);
    if (was === undefined) return [`${group.group} is new: ${describe(group)}`];
    const [from, to] = [describe(was), describe(group)];
    return from === to ? [] : [`${group.group} is ${to}, and was ${from}`];
  });
  return [...gone, ...others];
}

function describe({ prefixes, policy }: KeyGroup): string {
  const words = Object.entries(writePolicy(policy)).flatMap(([word, value]) =>
    word === 'cache' ? [] : `${word} ${value}`,
  );
  return `${[policy?.cache ?? 'sharded', ...words].join(', ')} (${prefixes.join(', ')})`;
}

function replaced(before: readonly KeyGroup[], name: string, written: unknown): ReadGroups {
  const read = readKeyGroups({ [name]: written });
  if ('mistakes' in read) return read;
  // `__proto__` is passed over.
  if (read.groups.length === 0) return { mistakes: [`'${name}' is not a group`] };
  const isThere = before.some(({ group }) => group === name);
  const all = isThere
    ? before.flatMap((group) => (group.group === name ? read.groups : [group]))
    : [...before, ...read.groups];
  // With others it may be wrong: a prefix is one group's.
  return fromWritten(toWritten(all));
}

function merged(
  before: readonly KeyGroup[],
  { group: name, words }: { readonly group: string; readonly words: Readonly<Record<string, unknown>> },
): Record<string, unknown> {
  const known = before.find(({ group }) => group === name);
  const prefixes = words.prefixes ?? known?.prefixes;
  if (prefixes === undefined) throw unknownGroup(name, before);
  const all: [string, unknown][] = Object.entries({ ...writePolicy(known?.policy ?? null), ...words, prefixes });
  return Object.fromEntries(all.filter(([, value]) => value !== null));
}

function accepted(read: ReadGroups): readonly KeyGroup[] {
  if ('groups' in read) return read.groups;
  const { mistakes } = read;
  const noun = mistakes.length === 1 ? 'mistake' : 'mistakes';
  throw new RingproxyError(
    'BAD_GROUPS',
    `the groups of keys have ${mistakes.length} ${noun}:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`,
  );
}

function unknownGroup(name: string, before: readonly KeyGroup[]): RingproxyError {
  const names = before.map(({ group }) => group).join(', ');
  const known = names === '' ? 'there are none yet' : `there are ${names}`;
  return new RingproxyError('UNKNOWN_GROUP', `there is no group '${name}'`, `${known}; a prefix of its keys makes it`);
}
