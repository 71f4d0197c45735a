/**
 * Rights in Redis' syntax, as ACL LIST and ACL GETUSER of Redis 7.0 show them (acl.c: ACLDescribeSelectorCommandRules):
 * not the rules that were given, but few that come to the same.
 */
import { ACL_CATEGORIES, type AclCategory } from '../acl.js';
import type { Command } from '../command.js';
import type { CommandTable } from '../table.js';
import { READ, WRITE } from './access.js';
import { Selector } from './selector.js';
import type { User } from './user.js';

/** All of a user, behind its name. Passwords by their digests. */
export function describeUser(user: User, table: CommandTable): string {
  const [root, ...others] = user.selectors.map((selector) => describeSelector(selector, table));
  const digests = user.passwords.map((digest) => `#${digest}`);
  return [...flagsOf(user), ...digests, root, ...others.map((text) => `(${text})`)].join(' ');
}

export function flagsOf({ isOn, needsNoPassword, sanitizes }: User): string[] {
  return [
    isOn ? 'on' : 'off',
    ...(needsNoPassword ? ['nopass'] : []),
    ...(sanitizes === null ? [] : [sanitizes ? 'sanitize-payload' : 'skip-sanitize-payload']),
  ];
}

export function describeKeys({ allKeys, keys }: Selector): string {
  if (allKeys) return '~*';
  return keys.map(({ text, access }) => `${PREFIXES[access] ?? ''}${text}`).join(' ');
}

const PREFIXES: Readonly<Record<number, string>> = { [READ]: '%R~', [WRITE]: '%W~', [READ | WRITE]: '~' };

export function describeChannels({ allChannels, channels }: Selector): string {
  return allChannels ? '&*' : channels.map(({ text }) => `&${text}`).join(' ');
}

function describeSelector(selector: Selector, table: CommandTable): string {
  const channels = describeChannels(selector);
  return [
    describeKeys(selector),
    selector.allChannels ? channels : `resetchannels ${channels}`.trim(),
    describeCommands(selector, table),
  ]
    .filter((text) => text !== '')
    .join(' ');
}

export function describeCommands(selector: Selector, table: CommandTable): string {
  const adds = !selector.allowsOthers;
  const rules = [adds ? '-@all' : '+@all'];
  // What the rules so far come to, and what is left of the selector that they do not say.
  const said = new Selector(table);
  if (!adds) said.apply('+@all');
  const left = new Selector(table);
  left.takeCommands(selector);
  const applied = new Set<AclCategory>();
  while (true) {
    const best = bestCategory(left, table, applied, adds);
    if (best === null) break;
    said.changeCategory(best, adds);
    left.changeCategory(best, !adds);
    rules.push(`${adds ? '+' : '-'}@${best}`);
    applied.add(best);
  }
  for (const command of table.rows()) {
    for (const rule of singleRules(selector, said, command)) rules.push(rule);
    for (const sub of command.subcommands?.rows() ?? []) rules.push(...singleRules(selector, said, sub));
  }
  rules.push(...selector.ofUnknownCommands());
  return rules.join(' ');
}

function singleRules(selector: Selector, said: Selector, command: Command): string[] {
  const isAllowed = selector.allows(command.name);
  const rules: string[] = [];
  if (isAllowed !== said.allows(command.name)) {
    rules.push(`${isAllowed ? '+' : '-'}${command.name}`);
    said.change(command, isAllowed);
  }
  if (!isAllowed) {
    rules.push(...selector.firstArgumentsOf(command.name).map((argument) => `+${command.name}|${argument}`));
  }
  return rules;
}

/** The category that says most of what is left, with the fewest commands for which that is wrong. */
function bestCategory(
  left: Selector,
  table: CommandTable,
  applied: ReadonlySet<AclCategory>,
  adds: boolean,
): AclCategory | null {
  let best: AclCategory | null = null;
  let leastOther = Number.POSITIVE_INFINITY;
  let mostSame = 0;
  for (const category of ACL_CATEGORIES) {
    if (applied.has(category)) continue;
    const { on, off } = count(left, table, category);
    const other = adds ? off : on;
    const same = adds ? on : off;
    if (same > other && (other < leastOther || (other === leastOther && same > mostSame))) {
      best = category;
      leastOther = other;
      mostSame = same;
    }
  }
  return best;
}

function count(selector: Selector, table: CommandTable, category: AclCategory): { on: number; off: number } {
  let on = 0;
  let off = 0;
  const look = (command: Command): void => {
    if (command.isOfModule || !command.categories.includes(category)) return;
    if (selector.allows(command.name)) on++;
    else off++;
  };
  for (const command of table.rows()) {
    look(command);
    for (const sub of command.subcommands?.rows() ?? []) look(sub);
  }
  return { on, off };
}
