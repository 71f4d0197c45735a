/** The documentation's table of what becomes of commands on occasions, made from the command table. */
import { buildCommandTable } from './build.js';
import type { InTransaction } from './columns.js';
import type { Command } from './command.js';
import { leaves, shown } from './reference.js';

/** What becomes of a command between MULTI and EXEC. */
const IN_TRANSACTION = {
  'at once': 'carried out at once',
  select: 'kept for EXEC; the client is in that database from then on',
  'by node': 'kept for EXEC, and answered by the node of the transaction’s first key',
  here: 'kept for EXEC, and answered by the proxy',
  'here, peers told': 'kept for EXEC, and answered by the proxy for all of its workers',
  everywhere: 'kept for EXEC; when it has run, the other nodes get it before EXEC is answered',
  refused: 'refused: the proxy answers it, and not a node',
  never: 'refused, as by Redis',
} as const satisfies Record<Exclude<InTransaction, 'queued'>, string>;

/** @returns a table in Markdown: what commands share an occasion */
export function occasionReference(): string {
  const commands = [...buildCommandTable().rows()].flatMap(leaves);
  const rows: string[] = [];
  const row = (occasion: string, what: string, holds: (command: Command) => boolean): void => {
    const names = commands.filter(holds).map((command) => command.name);
    rows.push(`| ${occasion} | ${what} | ${shown(names).join(' ')} |`);
  };
  for (const [value, what] of Object.entries(IN_TRANSACTION)) {
    row('between MULTI and EXEC', what, (command) => command.inTransaction === value && command.route !== 'refused');
  }
  const ofAll = ({ route, inTransaction, merge }: Command): boolean =>
    route === 'all' && inTransaction === 'queued' && merge !== 'info';
  row(
    'between MULTI and EXEC',
    'kept for EXEC, which runs at every node then; refused with `cross-node: refuse`, and where groups are replicated',
    (command) => ofAll(command) && command.onAllKeys,
  );
  row(
    'between MULTI and EXEC',
    'refused where there are several nodes: it concerns all of them',
    (command) => ofAll(command) && !command.onAllKeys,
  );
  row(
    'between MULTI and EXEC',
    'with `admin-commands: allow` as FLUSHALL, otherwise refused',
    ({ route, inTransaction }) => route === 'admin' && inTransaction === 'queued',
  );
  row(
    'between MULTI and EXEC',
    'kept for EXEC, and carried out over the nodes by itself; refused with `cross-node: refuse`, and where groups are replicated',
    ({ route }) => route === 'scan',
  );
  row('before AUTH', 'allowed, and nothing else is', (command) => command.beforeAuth);
  row('while subscribed (RESP2)', 'allowed, and nothing else is', (command) => command.whileSubscribed !== 'refused');
  row('after CLIENT PAUSE', 'runs in any case', (command) => command.whilePaused);
  row('after CLIENT PAUSE … WRITE', 'waits, though it writes no key', (command) => command.replicated);
  row('for the hit ratio', 'nil is a miss, anything else a hit', (command) => command.cacheRead === 'key');
  row('for the hit ratio', 'so is each element of its reply', (command) => command.cacheRead === 'array');
  row('on keys of a replicated group', 'answered by the proxy, and nothing else is', isOnReplicated);
  row('MONITOR', 'does not show it', (command) => command.admin && command.route !== 'refused');
  row('MONITOR', 'does not show its passwords', (command) => command.secrets !== null);
  return ['| when | what becomes of it | commands |', '|---|---|---|', ...rows].join('\n');
}

function isOnReplicated({ onReplicated }: Command): boolean {
  return onReplicated !== 'no merge' && onReplicated !== 'other value';
}
