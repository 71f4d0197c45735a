import { type Command, InvalidArgumentError } from 'commander';
import type {
  ChangeAccepted,
  ChangeRequest,
  ChangeView,
  HistoryEntry,
  NodeInput,
  NodeView,
  RingView,
} from '../src/admin/api.js';
import { AdminClient } from '../src/client/admin-client.js';
import { AdminError } from '../src/client/admin-error.js';
import { hintForPaused } from '../src/client/paused-hint.js';
import { isNodeName, isWeight, NODE_NAME_RULE, WEIGHT_RULE } from '../src/config/node-limits.js';
import { parseNodeText } from '../src/config/node-text.js';
import type { ErrorCode } from '../src/errors.js';
import { withoutLogin, withoutScheme } from '../src/node/address.js';
import { FOLLOWED_FORMS, formatPlace } from '../src/node/followed.js';
import { type AccessOptions, withAccess, withAccessOptions } from './access-options.js';
import { applyRequest } from './apply-file.js';
import { registerCheckCommand } from './check-command.js';
import { CliError } from './cli-error.js';
import { colors } from './colors.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { describeProgress, follow } from './follow.js';
import {
  formatBytes,
  formatCount,
  formatName,
  formatPercent,
  formatSeconds,
  formatState,
  formatTable,
  numbers,
} from './format.js';
import { describeProxies } from './proxies-view.js';

interface ChangeOptions extends CommonOptions, AccessOptions {
  readonly flush?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly detach?: boolean;
  readonly drain?: boolean;
  readonly file?: string;
  readonly throttle?: number;
}

/** The admin API's word for a change to what is there already. */
/** Characters of what a change did, in the table of all of them. */
const LONGEST_WHAT = 72;
const NOTHING_TO_CHANGE = 'NOTHING_TO_CHANGE' satisfies ErrorCode;

/** `ringproxy ring …` */
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
        ['KEY', numbers('HASH'), 'NODE', 'ADDRESS', 'NEXT NODE'],
        found.map((row) => [formatName(row.key), String(row.hash), row.node, row.address, row.nextNode ?? '-']),
      ),
    );
  });

  withChangeOptions(
    withAccessOptions(
      ring
        .command('add')
        .description('add nodes to the ring; their keys move to them while clients go on')
        .argument('<node...>', 'NAME=HOST:PORT, with *WEIGHT behind it if it is not 1; rediss://HOST:PORT: by TLS')
        .option('--flush', 'empty a node that holds keys before it joins'),
    ),
  ).action((texts: string[], options: ChangeOptions) =>
    runChange(options, { kind: 'add', add: withAccess(texts.map(parseNode), options), flush: options.flush }),
  );

  withChangeOptions(
    ring
      .command('remove')
      .description('move the keys off nodes, and take them from the ring')
      .argument('<name...>', 'names of nodes')
      .option('--no-drain', 'the nodes are gone: give up their keys'),
  ).action((names: string[], options: ChangeOptions) =>
    runChange(options, { kind: 'remove', remove: names, noDrain: options.drain === false }),
  );

  withChangeOptions(
    ring
      .command('set-weight')
      .description("change a node's share of the ring")
      .argument('<name>', 'name of the node')
      .argument('<weight>', WEIGHT_RULE, parseWeight),
  ).action((name: string, weight: number, options: ChangeOptions) =>
    runChange(options, { kind: 'reweight', weights: [{ name, weight }] }),
  );

  withChangeOptions(
    withAccessOptions(
      ring
        .command('replace')
        .description("put another server in a node's place on the ring, and copy its keys")
        .argument('<node>', 'NAME=HOST:PORT; rediss://HOST:PORT: by TLS')
        .option('--flush', 'empty the server first if it holds keys')
        .option('--no-drain', 'the server of before is gone: give up its keys'),
    ),
  ).action((text: string, options: ChangeOptions) => {
    const node = parseNode(text);
    if (node.name === undefined) throw new CliError(`'${text}' names no node`, 'expected NAME=HOST:PORT', 2);
    return runChange(options, {
      kind: 'replace',
      replace: withAccess([{ name: node.name, address: node.address }], options),
      flush: options.flush,
      noDrain: options.drain === false,
    });
  });

  withChangeOptions(
    ring
      .command('apply')
      .description('make the ring as a file says: additions, removals and weights as one change')
      .requiredOption('-f, --file <file>', 'YAML with nodes, as in the configuration: [NAME=HOST:PORT*WEIGHT, …]')
      .option('--flush', 'empty servers that join and hold keys')
      .option('--no-drain', 'the nodes that leave, or are replaced, are gone: give up their keys'),
  ).action(async (options: ChangeOptions) => {
    const view = await new AdminClient(options).ring();
    const request = applyRequest(view, options.file ?? '', options.flush);
    if (request !== null)
      return runChange(options, { ...request, ...(options.drain === false ? { noDrain: true } : {}) });
    printUnchanged(options, view, `the ring is as ${options.file} says already: nothing to do`);
  });

  withCommonOptions(
    ring.command('status').description('the running change').option('--watch', 'follow it until it is done'),
  ).action(async (options: CommonOptions & { watch?: boolean }) => {
    const client = new AdminClient(options);
    const { change, generation, nodes } = await client.ring();
    const follows = options.watch === true && change !== null;
    // On a terminal the line is drawn there, and again and again.
    if (!follows || options.json === true || process.stderr.isTTY !== true) {
      print(options, change, () => (change === null ? 'no change is under way' : describeStatus(change, nodes)));
    }
    if (follows) await follow(options, { generation: generation + 1, cancels: true });
  });

  withCommonOptions(ring.command('pause').description('pause the running change')).action((options: CommonOptions) =>
    steer(options, (client) => client.pause(), 'paused'),
  );
  withCommonOptions(
    ring
      .command('resume')
      .description('let it go on')
      .option('--no-drain', 'give up the keys of nodes that do not answer any more'),
  ).action((options: CommonOptions & { drain: boolean }) =>
    steer(options, (client) => client.resume(!options.drain), 'resumed'),
  );
  withCommonOptions(
    ring
      .command('throttle')
      .description('limit its speed')
      .argument('<keys-per-second>', '0: as fast as it goes', parseRate),
  ).action((rate: number, options: CommonOptions) =>
    steer(
      options,
      (client) => client.throttle(rate),
      rate === 0 ? 'not throttled any more' : `throttled to ${formatCount(rate)} keys/s`,
    ),
  );
  withCommonOptions(
    ring
      .command('cancel')
      .description('move everything back')
      .option('--dry-run', 'only say what would move back')
      .option('--detach', 'do not wait until it is done'),
  ).action(async (options: ChangeOptions) => {
    const client = new AdminClient(options);
    if (options.dryRun === true) {
      const preview = await client.previewCancel();
      print(options, preview, () => describeChange(preview));
      return;
    }
    const { generation, change: running } = await client.ring();
    const change = await client.cancel();
    print(options, change, () => describeCancel(running, change));
    if (options.detach !== true) await follow(options, { generation: generation + 1, cancels: true });
  });

  withCommonOptions(ring.command('history').description('finished changes')).action(async (options: CommonOptions) => {
    const entries = await new AdminClient(options).history();
    print(options, entries, () => describeHistory(entries));
  });

  registerCheckCommand(ring);
}

function withChangeOptions(command: Command): Command {
  return withCommonOptions(command)
    .option('--dry-run', 'only say what would move')
    .option('--throttle <keys-per-second>', 'move at most so many keys a second, from the first one on', parseRate)
    .option('--force', 'go on although proxies outside of this fleet are connected to the nodes: writes may be lost')
    .option('--detach', 'do not wait until it is done');
}

/** Begins a change, and follows it unless it is not wanted. */
async function runChange(options: ChangeOptions, request: ChangeRequest): Promise<void> {
  const client = new AdminClient(options);
  const { throttle, dryRun, force } = options;
  let accepted: ChangeAccepted;
  try {
    accepted = await client.change({ ...request, throttle, dryRun, force });
  } catch (error) {
    // What was asked for is there: a script that runs twice has not failed.
    if (!(error instanceof AdminError) || error.code !== NOTHING_TO_CHANGE) throw error;
    return printUnchanged(options, await client.ring(), `${error.message}: nothing to do`);
  }
  print(options, accepted, () => describeChange(accepted));
  if (options.dryRun !== true && options.detach !== true) {
    await follow(options, { generation: accepted.generation });
  }
}

function printUnchanged(options: ChangeOptions, { generation }: RingView, text: string): void {
  const unchanged: ChangeAccepted = {
    generation,
    dryRun: options.dryRun === true,
    warnings: [],
    moves: [],
    survey: null,
  };
  print(options, unchanged, () => text);
}

async function steer(
  options: CommonOptions,
  act: (client: AdminClient) => Promise<ChangeView | null>,
  what: string,
): Promise<void> {
  const change = await act(new AdminClient(options));
  print(options, change, () => what);
}

function print(options: CommonOptions, value: unknown, describe: () => string): void {
  process.stdout.write(`${options.json === true ? JSON.stringify(value, null, 2) : describe()}\n`);
}

/** An ejection says what each proxy saw: that stands below, so that the columns stay together. */
function describeHistory(entries: readonly HistoryEntry[]): string {
  const table = formatTable(
    [...[numbers('GENERATION'), 'WHEN', 'KIND', 'WHAT'], ...['KEYS', 'BYTES', 'DURATION'].map(numbers), 'WHO', 'BY'],
    entries.map((entry) => [
      ...[String(entry.generation), entry.finishedAt, entry.kind, beginningOf(entry.summary)],
      ...[formatCount(entry.keysMoved), formatBytes(entry.bytesMoved), formatSeconds(entry.durationSeconds)],
      ...[formatName(entry.who ?? '-'), entry.by],
    ]),
  );
  const whole = entries.flatMap(({ generation, summary }) =>
    beginningOf(summary) === summary ? [] : [`generation ${generation}: ${summary}`],
  );
  return whole.length === 0 ? table : [table, '', ...whole].join('\n');
}

function beginningOf(summary: string): string {
  return summary.length <= LONGEST_WHAT ? summary : `${summary.slice(0, LONGEST_WHAT - 1)}…`;
}

/** As it gets on and, where it has paused because of a failure, what helps. */
function describeStatus(change: ChangeView, nodes: readonly NodeView[]): string {
  const helps = change.paused && change.error !== null ? [`  ${hintForPaused(change, nodes)}`] : [];
  return [describeProgress(change), ...helps].join('\n');
}

function describeRing(view: RingView): string {
  const hasReasons = view.nodes.some((node) => node.reason !== null);
  const nodes = formatTable(
    [
      ...['NODE', 'ADDRESS', numbers('WEIGHT'), 'STATE', ...['SHARE', 'KEYS', 'MEMORY'].map(numbers)],
      ...(hasReasons ? ['REASON'] : []),
    ],
    view.nodes.map((node) => [
      node.name,
      formatAddress(node),
      String(node.weight),
      formatState(node.state),
      formatPercent(node.share),
      formatCount(node.keys),
      formatBytes(node.usedMemory),
      ...(hasReasons ? [formatReason(node)] : []),
    ]),
  );
  const title = `generation ${view.generation}, ${view.phase}; ${view.hash}, ${view.vnodes} vnodes, hash tag '${view.hashTag}'${describePatterns(view)}`;
  const change =
    view.change === null ? [] : ['', describeStatus(view.change, view.nodes), ...describeSources(view.change)];
  const opinions = describeOpinions(view);
  return [title, '', nodes, ...opinions, ...change, '', ...describeFleet(view)].join('\n');
}

/**
 * Who says that which node is down, where there are several proxies that could. A proxy of an earlier version does not
 * tell it.
 */
function describeOpinions({ nodes, proxies }: RingView): string[] {
  if (proxies.length < 2) return [];
  const rows = nodes.flatMap(({ name, opinions = [] }: Pick<NodeView, 'name'> & Partial<NodeView>) =>
    opinions.map(({ proxy, since, why }) => [formatName(name), proxy, since, formatName(why)]),
  );
  return rows.length === 0 ? [] : ['', formatTable(['DOWN', 'FOR PROXY', 'SINCE', 'WHY'], rows)];
}

/** Where it is now, and who says so. A proxy of an earlier version says nothing of masters and of TLS. */
function formatAddress(node: Partial<Pick<NodeView, 'address' | 'master' | 'tls'>>): string {
  const { address = '', master = null, tls = false } = node;
  const scheme = tls ? 'rediss://' : '';
  if (master === null) return `${scheme}${address}`;
  return master.address === null ? `no master (${master.source})` : `${scheme}${master.address} (${master.source})`;
}

/** A proxy of an earlier version says nothing of them. */
function describePatterns({ hashTags = [] }: Partial<RingView>): string {
  return hashTags.length === 0 ? '' : `, patterns ${hashTags.join(' ')}`;
}

/** Who moves the keys of which node, where there are several proxies that could. */
function describeSources({ sources }: ChangeView): string[] {
  if (new Set(sources.map(({ owner }) => owner)).size < 2) return [];
  return [
    formatTable(
      ['KEYS OF', ...['MOVED', 'SCANNED'].map(numbers), 'BY'],
      sources.map(({ node, keysMoved, keysScanned, owner, done }) => [
        formatName(node),
        formatCount(keysMoved),
        formatCount(keysScanned),
        done ? 'done' : owner || '-',
      ]),
    ),
  ];
}

/** The proxies, and where they agree. */
function describeFleet({ coordination, proxies }: RingView): string[] {
  const table = describeProxies(proxies, process.stdout.columns);
  // A proxy of an earlier version says nothing of it.
  if (coordination === undefined || coordination.kind === 'none') return [table];
  const place = `agreed in ${coordination.kind}, ${coordination.consistency}; asked was proxy ${coordination.proxy}`;
  return [table, place, ...(coordination.trouble === null ? [] : [colors.red(coordination.trouble)])];
}

function formatReason({ state, reason }: NodeView): string {
  if (reason === null) return '';
  return state === 'down' ? colors.red(reason) : colors.yellow(reason);
}

function describeChange(accepted: ChangeAccepted): string {
  const rows = accepted.moves.map((move) => [move.source, move.target, formatPercent(move.share)]);
  const none = 'no keys move to other nodes';
  const moves = rows.length === 0 ? none : formatTable(['FROM', 'TO', numbers('SHARE OF THE RING')], rows);
  const title = accepted.dryRun ? 'dry run, nothing was changed; this would lead to' : 'on the way to';
  const warnings = accepted.warnings.map((warning) => colors.yellow(`warning: ${warning}`));
  return [`${title} generation ${accepted.generation}`, '', moves, ...describeSurvey(accepted), ...warnings].join('\n');
}

/** The largest keys that would move, when a dry run has found any. */
function describeSurvey({ survey }: ChangeAccepted): string[] {
  if (survey === null || survey.largest.length === 0) return [];
  const of = survey.complete ? `all ${formatCount(survey.keys)}` : `the first ${formatCount(survey.keys)}`;
  const rows = survey.largest.map((key) => [
    key.node,
    String(key.database),
    formatName(key.key),
    formatBytes(key.bytes),
  ]);
  return [
    '',
    `the largest of ${of} keys that would move`,
    formatTable(['NODE', numbers('DB'), 'KEY', numbers('MEMORY')], rows),
  ];
}

/** A cancel can be cancelled as well. @param before the change that was under way */
function describeCancel(before: ChangeView | null, change: ChangeView | null): string {
  if (before?.kind !== 'cancel') return 'cancelled: everything goes back';
  return `the cancel is cancelled, keys move the other way again (${change?.summary ?? before.summary})`;
}

/** @throws CliError: a wrong call */
function parseNode(text: string): NodeInput {
  const node = parseNodeText(text);
  if (node === null || formatPlace(withoutScheme(node.address).text) === null) {
    throw new CliError(
      `'${withoutLogin(text)}' is not a node`,
      `expected NAME=HOST:PORT or NAME=HOST:PORT*WEIGHT, where HOST:PORT may also be ${FOLLOWED_FORMS}`,
      2,
    );
  }
  const { name, weight } = node;
  if (name !== undefined && !isNodeName(name)) {
    throw new CliError(`'${name}' is not a name of a node`, `expected ${NODE_NAME_RULE}`, 2);
  }
  if (weight !== undefined && !isWeight(weight)) {
    throw new CliError(`'${text}' has a weight of ${weight}`, `expected ${WEIGHT_RULE}`, 2);
  }
  return node;
}

function parseWeight(text: string): number {
  const weight = Number(text);
  if (!/^\d+$/.test(text) || !isWeight(weight)) throw new InvalidArgumentError(`expected ${WEIGHT_RULE}`);
  return weight;
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('expected 0 or more, a whole number');
  return rate;
}
