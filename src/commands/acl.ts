/** Categories of commands, by which users are allowed or forbidden them (`ACL SETUSER … +@read`), as Redis has them. */

export const ACL_CATEGORIES = [
  ...['keyspace', 'read', 'write', 'set', 'sortedset', 'list', 'hash', 'string', 'bitmap', 'hyperloglog', 'geo'],
  ...['stream', 'pubsub', 'admin', 'fast', 'slow', 'blocking', 'dangerous', 'connection', 'transaction', 'scripting'],
] as const;
export type AclCategory = (typeof ACL_CATEGORIES)[number];

const KNOWN: ReadonlySet<string> = new Set(ACL_CATEGORIES);

/** Of what a node says of a command, the categories that are Redis' own; it names them with an @. */
export function knownCategories(names: readonly string[]): AclCategory[] {
  return names.map((name) => name.replace(/^@/, '')).filter(isCategory);
}

function isCategory(name: string): name is AclCategory {
  return KNOWN.has(name);
}

/** @param own those that its flags do not tell @returns all categories of a command with these flags, as Redis derives them */
export function categoriesOf(flags: readonly string[], own: readonly AclCategory[]): AclCategory[] {
  const all = new Set(own);
  const has = (flag: string): boolean => flags.includes(flag);
  if (has('write')) all.add('write');
  if (has('readonly') && !all.has('scripting')) all.add('read');
  if (has('admin')) all.add('admin').add('dangerous');
  if (has('pubsub')) all.add('pubsub');
  if (has('blocking')) all.add('blocking');
  all.add(has('fast') ? 'fast' : 'slow');
  return [...all];
}
