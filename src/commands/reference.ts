/** The documentation's table of commands, made from the command table. */
import { buildCommandTable } from './build.js';
import type { Command, Merge, Tolerance } from './command.js';

/** What becomes of the nodes' replies to a command that goes to all of them. */
const MERGED: Readonly<Record<Merge, string>> = {
  none: '',
  array: 'an array in the order of the keys',
  sum: 'the sum',
  ok: 'the first error, otherwise what all say',
  concat: 'all of them, one behind the other',
  info: "one text: sums, and the proxy's own section",
  random: 'one of them',
  least: '1 where every node says so; scripts that the proxy knows are loaded first',
  one: 'OK where one node says so',
  running: 'that of the node on which a script runs',
  slowlog: 'the latest entries of all',
  history: 'the entries of all, in the order of time',
  latest: 'for each event the latest entry, with the worst of all',
  histograms: 'histograms added up',
  earliest: 'the earliest',
  texts: "one text with each node's under its name",
  stats: 'figures added up',
};

/** What becomes of a command for several nodes while one of them does not answer. */
const LACKING: Readonly<Record<Tolerance, string>> = {
  nothing: 'an error that names it',
  down: 'the reply of the others: it gets scripts and functions before it serves again',
  errors: 'that of the others',
  rest: 'that of the others, 300 ms later at most',
};

/** Rows come in this order. */
const ORDER: readonly Command['route'][] = ['owner', 'split', 'all', 'scan', 'any', 'proxy', 'admin', 'refused'];

/** @returns a table in Markdown: commands that are treated alike share a row */
export function commandReference(): string {
  const rows = new Map<string, string[]>();
  const commands = [...buildCommandTable().rows()].flatMap(leaves);
  for (const route of ORDER) {
    for (const command of commands) {
      if (command.route !== route) continue;
      const row = treatment(command);
      const names = rows.get(row) ?? [];
      names.push(command.name);
      rows.set(row, names);
    }
  }
  const lines = [...rows].map(([row, names]) => `| ${row} | ${shown(names).join(' ')} |`);
  return ['| where it runs | reply | while a node does not answer | commands |', '|---|---|---|---|', ...lines].join(
    '\n',
  );
}

/** The command, or its subcommands. */
export function leaves(command: Command): Command[] {
  return command.subcommands === null ? [command] : [...command.subcommands.rows()].flatMap(leaves);
}

function treatment(command: Command): string {
  switch (command.route) {
    case 'owner':
      return `${ofOwner(command)} | an error for its keys`;
    case 'split':
      return `in parts, one for each node that owns some of its keys | ${MERGED[command.merge]} | ${LACKING[command.tolerance]}`;
    case 'all':
      return `on every node | ${MERGED[command.merge]} | ${LACKING[command.tolerance]}`;
    case 'scan':
      return 'on one node after the other, behind one cursor | their keys | an error that names it, when it is its turn';
    case 'any':
      return 'on one node, the same one for as long as it is up | that of the node | another one is asked, after 300 ms at most';
    case 'proxy':
      if (command.tolerance === 'rest') {
        return 'in the proxy, with what one node says | that of the node, without its secrets | another one is asked, after 300 ms at most';
      }
      return 'in the proxy | its own | ';
    case 'admin':
      if (command.keys.kind === 'looks') {
        return 'on every node with `admin-commands: allow`, otherwise refused; DEBUG OBJECT and its like on the node that owns the key | the first error, otherwise what all say | an error that names it';
      }
      return 'on every node with `admin-commands: allow`, otherwise refused | the first error, otherwise what all say | an error that names it';
    case 'refused':
      return `refused: ${command.reason} | an error | `;
  }
}

function ofOwner(command: Command): string {
  const { keys, special, waits, crossNode } = command;
  const apart = ofOwners(crossNode);
  if (special === 'script' || special === 'digest' || special === 'code') {
    return 'on the node that owns its keys, which is given the script or the functions where it lacks them; without keys on one node | that of the node; with keys of several owners one that declares `no-writes` runs in steps ([keys on several nodes](cross-node.md)), any other is answered `-CROSSSLOT`';
  }
  if (waits !== null) {
    return `on the node that owns its keys, on a connection of its own while it waits | that of the node; ${apart}`;
  }
  if (special === 'sort') {
    return `on the node that owns its keys; what patterns of BY and GET name may be on others | that of the node; ${apart}`;
  }
  if (keys.kind === 'range' && keys.first === keys.last) return 'on the node that owns its key | that of the node';
  return `on the node that owns its keys | that of the node; ${apart}`;
}

/** What becomes of a command whose keys have several owners. */
function ofOwners(crossNode: Command['crossNode']): string {
  switch (crossNode) {
    case 'refused':
      return '`-CROSSSLOT` when the keys have several owners';
    case 'waits':
      return 'with keys of several owners it waits for the first that has something ([keys on several nodes](cross-node.md))';
    case 'streams':
      return 'with keys of several owners each is asked, and all are waited for ([keys on several nodes](cross-node.md))';
    default:
      return 'with keys of several owners it runs in steps ([keys on several nodes](cross-node.md))';
  }
}

/** @param names `container|subcommand`; of one row, in the order of the table @returns them as clients write them */
export function shown(names: readonly string[]): string[] {
  const words: string[] = [];
  const seen = new Set<string>();
  for (const name of names) {
    const [container = '', sub] = name.split('|');
    if (sub === undefined) {
      words.push(container);
      continue;
    }
    if (seen.has(container)) continue;
    seen.add(container);
    const subs = names.filter((other) => other.startsWith(`${container}|`)).map((other) => other.split('|')[1] ?? '');
    words.push(`${container} ${subs.join('/')}`);
  }
  return words.sort().map((word) => `\`${word.toUpperCase()}\``);
}
