/** Only `src/commands` knows commands by their names: everybody else asks a column of the command's row. */
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { buildCommandTable } from '../../src/commands/build.js';
import { POLICY } from '../../src/commands/policy.js';
import { commandNamesIn, type NamedCommand } from '../support/command-names.js';
import { compile, type Edit, pathOf } from '../support/sources.js';

const commands = [...buildCommandTable().rows()].flatMap((row) => [row, ...(row.subcommands?.rows() ?? [])]);
const NAMES = new Set([...commands.map((row) => row.name), ...Object.keys(POLICY)]);

/** Parts of the program that see commands, and theirs. `src/node-rights.ts` lists what the proxy sends to nodes. */
const SEARCHED = /^src\/(?:proxy|plane|health|rebalance)\//;

/** Words that are names of commands as well and stand for something else, by the file's own name. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  // Options and arguments of commands.
  'acl-commands.ts': ['reset'],
  'connection-commands.ts': ['AUTH'],
  'expire-time.ts': ['get'],
  'list-kill.ts': ['type'],
  'monitor-line.ts': ['auth'],
  'rights.ts': ['get', 'keys'],
  'scan-call.ts': ['type'],
  'given-ttl.ts': ['get', 'persist'],
  'sort.ts': ['get', 'set'],
  'sort-patterns.ts': ['get'],
  'strings.ts': ['persist'],
  // In replies: kinds of clients, what INFO says, the first words of errors and of what subscribers hear.
  'client-filter.ts': ['pubsub'],
  'cluster-commands.ts': ['cluster'],
  'impairment.ts': ['role'],
  // What INFO says, and a right that a person is told of.
  'inspect.ts': ['role', 'info'],
  'node-figures.ts': ['role'],
  'replica-info.ts': ['role'],
  'topic.ts': ['subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe', 'sunsubscribe'],
  'trouble.ts': ['READONLY'],
  // Steps of a connection's own greeting, and what a connection is for.
  'greeting.ts': ['CLIENT', 'INFO', 'SELECT'],
  'carrier.ts': ['migrate'],
  'empty-disk.ts': ['bgsave', 'save'],
  'key-moving.ts': ['move'],
  'mover-pass.ts': ['move'],
  // Rights that a person is told of, and the right to what goes on by itself once it was begun.
  'connections.ts': ['client|kill', 'client|list'],
  'changed-users.ts': ['monitor'],
  // Labels of metrics.
  'replica-read-counts.ts': ['client'],
  // Types of values, as TYPE names them.
  'elements.ts': ['set'],
  'sizes.ts': ['set'],
};

function namesWith(edits: readonly Edit[]): NamedCommand[] {
  const program = compile(['src/serve.ts'], edits);
  return program
    .getSourceFiles()
    .filter((file) => SEARCHED.test(pathOf(file)))
    .flatMap((file) => commandNamesIn(program, file, NAMES))
    .filter(({ file, name }) => WORDS[basename(file)]?.includes(name) !== true);
}

it('no command is known by its name outside of src/commands', () => {
  expect(namesWith([])).toEqual([]);
});

/** Decisions by a name, each of another kind, in front of the only function of this file. */
const DECISIONS: readonly string[] = [
  "command.name === 'exec'",
  "command.name.startsWith('client|')",
  "command.name.slice('cluster|'.length) === ''",
  "new Set(['get', 'set']).has(command.name)",
  "['auth', 'hello'].includes(command.name)",
  "new Map([['blpop', 1]]).has(command.name)",
  '({ blpop: 1 } as Readonly<Record<string, number>>)[command.name] === 1',
  "({ 'client|id': 1 } as const)['client|id'] === 1",
  "new Set(['GET', 'SET']).has(command.name.toUpperCase())",
  "((name: string): boolean => { switch (name) { case 'ping': return true; default: return false; } })(command.name)",
  '((): boolean => { switch (command.name) { default: return false; } })()',
];
const FILE = 'src/proxy/features/blocking/blocking-frame.ts';
const BEFORE = 'function isInMilliseconds(command: Command): boolean {';

it('a decision by a name is found, of whatever kind', () => {
  const added = DECISIONS.map(
    (decision, i) => `export const decides${i} = (command: Command): boolean => ${decision};`,
  );
  const found = namesWith([[FILE, BEFORE, `${added.join('\n')}\n${BEFORE}`]]);
  const first = Math.min(...found.map(({ line }) => line));
  expect(new Set(found.map(({ file }) => file))).toEqual(new Set([FILE]));
  expect(new Set(found.map(({ line }) => line - first))).toEqual(new Set(DECISIONS.keys()));
});
