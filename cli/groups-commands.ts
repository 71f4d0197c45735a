/** `ringproxy groups`: how keys are told apart and cached, and how that is changed for all proxies of the ring. */
import { type Command, Option } from 'commander';
import type { GroupsPreview, GroupsView } from '../src/admin/api.js';
import { AdminClient, type GroupsAsk } from '../src/client/admin-client.js';
import { policyWords } from '../src/config/cache-policy.js';
import { CliError } from './cli-error.js';
import { colors } from './colors.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { describeSome, onlyNamed } from './group-view.js';
import { readGroupsFile } from './groups-file.js';
import { describePreview } from './groups-preview.js';
import { describeGroups } from './groups-view.js';
import { runLive } from './live.js';

interface ListOptions extends CommonOptions {
  readonly wide?: boolean;
  readonly watch?: boolean;
  readonly thisProxy?: boolean;
}

const INTERVAL_SECONDS = 2;

interface ChangeOptions extends CommonOptions {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

interface SetOptions extends ChangeOptions {
  readonly prefix?: readonly string[];
  readonly reset?: readonly string[];
  /** Words of the policy, as commander names their flags. */
  readonly [flag: string]: unknown;
}

export function registerGroupsCommands(program: Command): void {
  const groups = program
    .command('groups')
    .description(
      'how groups of keys are cached, and what was counted of them; changes are for all proxies of the ring',
    );

  withCommonOptions(
    groups
      .command('ls', { isDefault: true })
      .description(
        'list them, with what all proxies of the ring have counted; all that is known of those that are named',
      )
      .argument('[group...]', 'names; none: a table of all')
      .option('--wide', 'all columns in one line, whatever the width of the terminal')
      .option('--watch', 'again every two seconds, until Ctrl-C')
      .option('--this-proxy', 'as the proxy has counted that is asked, and no other one'),
  ).action(list);

  withChangeOptions(
    withPolicy(
      groups
        .command('set')
        .description('change what is named of a group, or make one of keys with these prefixes')
        .argument('<group>', 'its name')
        .addOption(
          new Option('--prefix <prefix>', 'what its keys begin with; several, each with --prefix, are all').argParser(
            gather,
          ),
        )
        .addOption(
          new Option('--reset <word>', 'let it be as by default again, such as near-ttl').argParser(gatherWord),
        ),
    ),
  ).action(async (group: string, options: SetOptions) => {
    print(options, await new AdminClient(options).setGroup(group, wordsOf(options), howOf(options)));
  });

  withChangeOptions(
    groups
      .command('rm')
      .description('take groups out: their keys are of no group then')
      .argument('<group...>', 'names'),
  ).action(async (names: string[], options: ChangeOptions) => {
    const client = new AdminClient(options);
    const answers: (GroupsView | GroupsPreview)[] = [];
    for (const name of names) answers.push(await client.removeGroup(name, howOf(options)));
    // Each says what it would do alone; of those that were done, the last one has what is left.
    for (const answer of options.dryRun === true ? answers : answers.slice(-1)) print(options, answer);
  });

  withChangeOptions(
    groups
      .command('apply')
      .description('make the groups as a file says: those that it does not have are taken out')
      .requiredOption('-f, --file <file>', 'YAML with groups as in the configuration, or a configuration'),
  ).action(async (options: ChangeOptions & { readonly file: string }) => {
    const written = readGroupsFile(options.file);
    const client = new AdminClient(options);
    // What somebody else changes meanwhile is not taken back unseen.
    const { revision } = await client.groups();
    print(options, await client.putGroups(written, { ...howOf(options), revision }));
  });

  withChangeOptions(
    groups.command('reset').description('go back to the groups of the configuration, at each proxy to its own'),
  ).action(async (options: ChangeOptions) => {
    print(options, await new AdminClient(options).resetGroups(howOf(options)));
  });
}

async function list(names: readonly string[], { watch, thisProxy, wide, ...options }: ListOptions): Promise<void> {
  const client = new AdminClient(options);
  const read = async (): Promise<GroupsView> => {
    const view = await client.groups(thisProxy !== true);
    return names.length === 0 ? view : onlyNamed(view, names);
  };
  const described = (view: GroupsView, width: number | undefined): string =>
    names.length === 0 ? describeGroups(view, wide === true ? undefined : width) : describeSome(view, names);
  const first = await read();
  if (watch !== true) {
    return write(options.json === true ? JSON.stringify(first, null, 2) : described(first, process.stdout.columns));
  }
  await runLive(first, {
    read,
    lines: (view, { trouble, width }) => [
      ...described(view, width).split('\n'),
      ...(trouble === undefined ? [] : ['', colors.red(trouble)]),
    ],
    json: options.json === true,
    count: Number.POSITIVE_INFINITY,
    interval: INTERVAL_SECONDS,
    toJson: (view) => view,
  });
}

function withChangeOptions(command: Command): Command {
  return withCommonOptions(
    command
      .option('--dry-run', 'only say what would change, and which keys would not be seen any more')
      .option('--force', 'although keys that are there are not seen any more: see replicated groups'),
  );
}

function howOf({ force, dryRun }: ChangeOptions): GroupsAsk {
  return { force: force === true, dryRun: dryRun === true };
}

function withPolicy(command: Command): Command {
  for (const { word, kind, help } of policyWords) command.option(`--${word} <value>`, `${help}: ${kind}`);
  return command;
}

/** @throws CliError when nothing is named */
function wordsOf(options: SetOptions): Record<string, unknown> {
  const words: Record<string, unknown> = {};
  for (const { word } of policyWords) {
    const value = options[word.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase())];
    if (value !== undefined) words[word] = value;
  }
  const reset = options.reset ?? [];
  const both = reset.find((word) => word in words);
  if (both !== undefined) throw new CliError(`${both} is both set and reset`, 'leave one of the two out', 2);
  for (const word of reset) words[word] = null;
  if (options.prefix !== undefined) words.prefixes = options.prefix;
  if (Object.keys(words).length > 0) return words;
  throw new CliError('nothing is to be set', 'name what, such as --prefix page: --cache near --near-ttl 5s', 2);
}

function gather(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** @throws CliError when there is no such word */
function gatherWord(text: string, before: readonly string[] | undefined): readonly string[] {
  if (policyWords.some(({ word }) => word === text)) return gather(text, before);
  throw new CliError(
    `'${text}' cannot be reset`,
    `expected one of ${policyWords.map(({ word }) => word).join(', ')}`,
    2,
  );
}

function print(options: CommonOptions, answer: GroupsView | GroupsPreview): void {
  const described = (): string =>
    'dryRun' in answer ? describePreview(answer) : describeGroups(answer, process.stdout.columns);
  write(options.json === true ? JSON.stringify(answer, null, 2) : described());
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
