/** A row without what carries it out does not compile, nor does a handler without a row. */
import ts from 'typescript';
import { expect, it } from 'vitest';
import { buildCommandTable } from '../../src/commands/build.js';
import { POLICY, type PolicyRow } from '../../src/commands/policy.js';
import { compile, type Edit, pathOf } from '../support/sources.js';

it('every command with the route `proxy` has it by its row, and so has a handler', () => {
  const commands = [...buildCommandTable().rows()].flatMap((row) => [row, ...(row.subcommands?.rows() ?? [])]);
  const own = commands.filter((row) => row.route === 'proxy').map((row) => row.name);
  const byRow = Object.entries<PolicyRow>(POLICY).flatMap(([name, row]) => (row.route === 'proxy' ? [name] : []));
  expect(byRow.sort()).toEqual(own.sort());
});

/** What is added to the sources, which without it compile (`npm run typecheck`). */
const ADDED: readonly Edit[] = [
  ['src/commands/rows/connection.ts', "'client|list': client,", "'client|list': client, 'client|forgotten': client,"],
  ['src/proxy/features/connection/connection-commands.ts', '    echo,\n', '    echo,\n    nameless: echo,\n'],
  ['src/commands/command.ts', 'export type Special =', "export type Special = 'forgotten' |"],
  ['src/commands/command.ts', 'export type Merge =\n', "export type Merge =\n  | 'forgotten'\n"],
  ['src/commands/columns.ts', 'export type Everywhere =', "export type Everywhere = 'forgotten' |"],
  ['src/commands/columns.ts', 'export type Administration =', "export type Administration = 'forgotten' |"],
  ['src/commands/columns.ts', 'export type CacheRead =', "export type CacheRead = 'forgotten' |"],
  ['src/commands/columns.ts', 'export type Publishes =', "export type Publishes = 'forgotten' |"],
];

/** Errors of the compiler in the sources with what was added, as `file: text`. */
function errorsWith(edits: readonly Edit[]): string[] {
  return ts
    .getPreEmitDiagnostics(compile(['src/proxy/data-plane.ts', 'src/commands/reference.ts'], edits))
    .map(({ file, messageText }) => `${pathOf(file)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
}

it('what is forgotten does not compile', () => {
  const errors = errorsWith(ADDED);
  const expected = [
    // A row without a handler, a handler without a row.
    ['src/proxy/features/compose.ts', 'client|forgotten'],
    ['src/proxy/features/connection/connection-commands.ts', 'nameless'],
    // Values of columns that nobody carries out.
    ['src/proxy/route/special.ts', 'forgotten'],
    ['src/proxy/route/merge/mergers.ts', 'forgotten'],
    ['src/commands/reference.ts', 'forgotten'],
    ['src/proxy/features/scripts/script-commands.ts', 'forgotten'],
    ['src/proxy/route/administration.ts', 'forgotten'],
    ['src/proxy/measure/cache-reads.ts', 'forgotten'],
    ['src/proxy/features/transactions/queue.ts', 'forgotten'],
  ] as const;
  for (const [file, word] of expected) {
    expect(
      errors.filter((error) => error.startsWith(`${file}: `) && error.includes(word)),
      file,
    ).not.toEqual([]);
  }
});
