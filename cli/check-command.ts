/** `ringproxy ring check`: keys on nodes that do not own them. */

import type { Command } from 'commander';
import type { NodeStrays, StrayReport } from '../src/admin/api.js';
import { AdminClient } from '../src/client/admin-client.js';
import { colors } from './colors.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { formatCount, formatCounted, formatName, formatTable, numbers } from './format.js';

const POLL_MS = 200;

export function registerCheckCommand(ring: Command): void {
  withCommonOptions(
    ring.command('check').description('look for keys on nodes that do not own them').option('--fix', 'remove them'),
  ).action(async (options: CommonOptions & { fix?: boolean }) => {
    const client = new AdminClient(options);
    let report = await client.check(options.fix === true);
    while (report.running) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      report = await client.strays();
    }
    process.stdout.write(`${options.json === true ? JSON.stringify(report, null, 2) : describe(report)}\n`);
    if (report.nodes.some((node) => node.error !== null || node.checkedAt === null)) process.exitCode = 1;
  });
}

function describe({ nodes }: StrayReport): string {
  const table = formatTable(
    [
      'NODE',
      'ADDRESS',
      ...['KEYS', 'NOT ITS OWN', 'REMOVED', 'RESTARTED', 'EJECTION', 'OTHER', 'REPLICATED'].map(numbers),
    ],
    nodes.map(({ node, address, keys, strays, removed, causes, replicated = 0 }: Found) => [
      node,
      address,
      ...[keys, strays, removed, causes.restart, causes.ejection, causes.other, replicated].map(formatCount),
    ]),
  );
  const details = nodes.flatMap((node) => [...failure(node), ...examples(node)]);
  return [table, ...(details.length === 0 ? [] : ['', ...details]), '', verdict(nodes), ...hidden(nodes)].join('\n');
}

/** A proxy of an earlier version says nothing of replicated groups. */
type Found = Omit<NodeStrays, 'replicated'> & { readonly replicated?: number };

function hidden(nodes: readonly Found[]): string[] {
  const count = nodes.reduce((sum, { replicated = 0 }) => sum + replicated, 0);
  if (count === 0) return [];
  return [
    `${formatCounted(count, 'key')} of replicated groups on nodes: proxies have these keys, so clients do not see what is there, and --fix leaves it; a script that does not declare its keys may have written it, or it is from before; UNLINK it at its node, or declare the keys`,
  ];
}

function failure({ node, checkedAt, error }: NodeStrays): string[] {
  if (error !== null) return [colors.red(`${node}: ${error}`)];
  return checkedAt === null ? [colors.yellow(`${node}: was not looked at whole, since the ring began to change`)] : [];
}

function examples({ node, examples: found }: NodeStrays): string[] {
  if (found.length === 0) return [];
  return [`${node}: ${found.map(({ database, key }) => `${formatName(key)} (db ${database})`).join(', ')}`];
}

function verdict(nodes: readonly NodeStrays[]): string {
  const unknown = nodes.filter(({ error, checkedAt }) => error !== null || checkedAt === null).length;
  const left = nodes.reduce((sum, { strays }) => sum + strays, 0);
  const removed = nodes.reduce((sum, node) => sum + node.removed, 0);
  if (removed > 0) return `${formatCounted(removed, 'key')} removed`;
  if (left === 0)
    return unknown > 0 ? 'every key that was looked at is where it belongs' : 'every key is where it belongs';
  return `${formatCounted(left, 'key is', 'keys are')} on nodes that do not own them: clients do not see such keys unless the ring changes; ringproxy ring check --fix removes them`;
}
