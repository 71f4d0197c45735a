import type { Command } from 'commander';
import pc from 'picocolors';
import type { ChangeAccepted, NodeInput, RingView } from '../src/admin/api.js';
import { AdminClient } from './admin-client.js';
import { CliError } from './cli-error.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { formatBytes, formatCount, formatPercent, formatTable } from './format.js';

interface AddOptions extends CommonOptions {
  readonly flush?: boolean;
  readonly dryRun?: boolean;
}

/** `ringproxy ring …` and `ringproxy proxies`. */
export function registerRingCommands(program: Command): void {
  const ring = program.command('ring').description('look at the ring and change it');

  withCommonOptions(ring.command('show').description('generation, nodes, shares, keys, proxies')).action(
    async (options: CommonOptions) => {
      const view = await new AdminClient(options).ring();
      print(options, view, () => describeRing(view));
    },
  );

  withCommonOptions(
    ring.command('which').description('hash and owner of keys').argument('<key...>', 'keys, as they are'),
  ).action(async (keys: string[], options: CommonOptions) => {
    const found = await new AdminClient(options).which(keys);
    print(options, found, () =>
      formatTable(
        ['KEY', 'HASH', 'NODE', 'ADDRESS'],
        found.map((row) => [row.key, String(row.hash), row.node, row.address]),
      ),
    );
  });

  withCommonOptions(
    ring
      .command('add')
      .description('add nodes to the ring')
      .argument('<node...>', 'NAME=HOST:PORT, with *WEIGHT behind it if it is not 1')
      .option('--flush', 'empty a node that holds keys before it joins')
      .option('--dry-run', 'only say what would change'),
  ).action(async (texts: string[], options: AddOptions) => {
    const accepted = await new AdminClient(options).change({
      kind: 'add',
      add: texts.map(parseNode),
      flush: options.flush,
      dryRun: options.dryRun,
    });
    print(options, accepted, () => describeChange(accepted, `added ${texts.join(', ')}`));
  });

  withCommonOptions(
    ring
      .command('remove')
      .description('remove nodes from the ring')
      .argument('<name...>', 'names of nodes')
      .option('--dry-run', 'only say what would change'),
  ).action(async (names: string[], options: AddOptions) => {
    const accepted = await new AdminClient(options).change({ kind: 'remove', remove: names, dryRun: options.dryRun });
    print(options, accepted, () => describeChange(accepted, `removed ${names.join(', ')}`));
  });

  withCommonOptions(ring.command('history').description('finished changes')).action(async (options: CommonOptions) => {
    const entries = await new AdminClient(options).history();
    print(options, entries, () =>
      formatTable(
        ['GENERATION', 'WHEN', 'KIND', 'WHAT', 'BY'],
        entries.map((entry) => [String(entry.generation), entry.finishedAt, entry.kind, entry.summary, entry.by]),
      ),
    );
  });

  const proxies = program.command('proxies').description('the proxies that serve this ring');
  withCommonOptions(proxies.command('ls', { isDefault: true }).description('list them')).action(
    async (options: CommonOptions) => {
      const found = await new AdminClient(options).proxies();
      print(options, found, () => describeProxies(found));
    },
  );
}

function print(options: CommonOptions, value: unknown, describe: () => string): void {
  process.stdout.write(`${options.json === true ? JSON.stringify(value, null, 2) : describe()}\n`);
}

function describeRing(view: RingView): string {
  const nodes = formatTable(
    ['NODE', 'ADDRESS', 'WEIGHT', 'STATE', 'SHARE', 'KEYS', 'MEMORY'],
    view.nodes.map((node) => [
      node.name,
      node.address,
      String(node.weight),
      node.state === 'active' ? pc.green(node.state) : pc.red(node.state),
      formatPercent(node.share),
      formatCount(node.keys),
      formatBytes(node.usedMemory),
    ]),
  );
  const reasons = view.nodes.flatMap((node) => (node.error === null ? [] : [`${node.name}: ${node.error}`]));
  const title = `generation ${view.generation}, ${view.phase}; ${view.hash}, ${view.vnodes} vnodes, hash tag '${view.hashTag}'`;
  return [title, '', nodes, ...reasons, '', describeProxies(view.proxies)].join('\n');
}

function describeProxies(proxies: RingView['proxies']): string {
  return formatTable(
    ['PROXY', 'ADMIN', 'ALIVE', 'GENERATION', 'WORKERS', 'VERSION'],
    proxies.map((proxy) => [
      proxy.id,
      proxy.admin === '' ? '-' : proxy.admin,
      proxy.alive ? 'yes' : pc.red('no'),
      String(proxy.generation),
      String(proxy.workers),
      proxy.version,
    ]),
  );
}

function describeChange(accepted: ChangeAccepted, what: string): string {
  const moves = formatTable(
    ['FROM', 'TO', 'SHARE OF THE RING'],
    accepted.moves.map((move) => [move.source, move.target, formatPercent(move.share)]),
  );
  const title = accepted.dryRun ? `dry run, nothing was changed: would lead to` : `${what}: the ring is now at`;
  const warnings = accepted.warnings.map((warning) => pc.yellow(`warning: ${warning}`));
  return [`${title} generation ${accepted.generation}`, '', moves, '', ...warnings].join('\n');
}

function parseNode(text: string): NodeInput {
  const match = /^(?:([^=]+)=)?(.+?)(?:\*(\d+))?$/.exec(text);
  if (match === null)
    throw new CliError(`'${text}' is not a node`, 'expected NAME=HOST:PORT or NAME=HOST:PORT*WEIGHT', 2);
  const [, name, address = '', weight] = match;
  return { name, address, weight: weight === undefined ? undefined : Number(weight) };
}
