/** `ringproxy audit`: who has called what of the admin API. */
import { type Command, InvalidArgumentError } from 'commander';
import type { AuditEntry, AuditView } from '../src/admin/api.js';
import { AdminClient } from '../src/client/admin-client.js';
import { colors } from './colors.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { clip, formatCount, formatName, formatTable } from './format.js';

interface AuditOptions extends CommonOptions {
  readonly limit: number;
  readonly thisProxy?: boolean;
}

const DEFAULT_CALLS = 50;
/** A proxy knows no more. */
const MOST_CALLS = 1000;
/** Columns of what a call has said. */
const LONGEST_BODY = 80;
const LONGEST_CLIENT = 40;

export function registerAuditCommand(program: Command): void {
  withCommonOptions(
    program
      .command('audit')
      .description('who has changed what through the admin API, or has tried to; needs the role admin')
      .option('--limit <calls>', `the newest, 1 to ${MOST_CALLS}`, parseLimit, DEFAULT_CALLS)
      .option('--this-proxy', 'calls of the proxy that is asked, and of no other one'),
  ).action(async ({ limit, thisProxy, ...options }: AuditOptions) => {
    const view = await new AdminClient(options).audit({ limit, fleet: thisProxy !== true });
    process.stdout.write(`${options.json === true ? JSON.stringify(view, null, 2) : describeAudit(view)}\n`);
  });
}

/** What comes from a proxy is shown as it is visible: it may not have been looked at there. */
export function describeAudit({ entries, missing }: AuditView): string {
  const lines = missing.map(({ proxy, why }) => colors.red(`without proxy ${proxy}: ${why}`));
  if (entries.length === 0) return [...lines, 'nothing was changed, and nobody was refused'].join('\n');
  const table = formatTable(
    ['WHEN', 'WHO', 'ROLE', 'FROM', 'SAYS', 'CALL', 'WITH', 'OUTCOME', 'PROXY'],
    entries.map((entry) => [
      entry.at,
      formatName(whoOf(entry)),
      entry.role ?? '-',
      formatName(entry.address === '' ? 'unix' : entry.address),
      saidBy(entry),
      formatName(`${entry.method} ${entry.path}`),
      entry.body === null ? '-' : formatName(clip(entry.body, LONGEST_BODY)),
      outcomeOf(entry),
      formatName(entry.proxy),
    ]),
  );
  const unlisted = entries.reduce((sum, entry) => sum + entry.unlisted, 0);
  const more =
    unlisted === 0 ? [] : [`${formatCount(unlisted)} refused calls more are not listed: there were too many`];
  return [...lines, table, ...more].join('\n');
}

/** As its token says, and nothing else: `nobody` has none that is valid, `-` needs none. */
function whoOf({ who, role }: AuditEntry): string {
  return who ?? (role === null ? 'nobody' : '-');
}

/** What a caller says of itself, in quotes and without two blanks in a row: it cannot be taken for other columns. */
function saidBy({ client }: AuditEntry): string {
  return client === null ? '-' : clip(JSON.stringify(client.replace(/\s+/g, ' ')), LONGEST_CLIENT);
}

function outcomeOf({ outcome, code, dryRun }: AuditEntry): string {
  const text = `${formatName(outcome)}${dryRun ? ', dry run' : ''}${code === null ? '' : ` (${formatName(code)})`}`;
  return outcome === 'done' ? text : colors.yellow(text);
}

function parseLimit(text: string): number {
  const calls = Number(text);
  if (/^\d+$/.test(text) && calls >= 1 && calls <= MOST_CALLS) return calls;
  throw new InvalidArgumentError(`expected 1 to ${MOST_CALLS}`);
}
