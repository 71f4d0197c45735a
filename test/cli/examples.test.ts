import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { EXAMPLES } from '../../cli/examples.js';
import { buildProgram, helpFor } from '../../cli/program.js';
import { ringproxy } from './run.js';

function leaves(command: Command, path = ''): string[] {
  const subs = command.createHelp().visibleCommands(command);
  const named = subs.filter((sub) => sub.name() !== 'help').map((sub) => leaves(sub, `${path} ${sub.name()}`.trim()));
  return named.length === 0 ? [path] : named.flat();
}

describe('examples', () => {
  it('every command has some', () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual(leaves(buildProgram()).sort());
  });

  // The words before a pipe, a redirection or a remark.
  const lines = Object.values(EXAMPLES)
    .flat()
    .filter((line) => line.startsWith('ringproxy '));
  it.each(lines)('%s is called rightly', async (line) => {
    const words =
      line
        .split(/ {4}\(| [|>] /)[0]
        ?.split(' ')
        .slice(1) ?? [];
    const program = buildProgram({ quiet: true });
    const disarm = (command: Command): void => {
      command.action(() => {});
      for (const sub of command.commands) disarm(sub);
    };
    disarm(program);
    await program.parseAsync(words, { from: 'user' });
  });

  it('stand below the help, which is found in either order', async () => {
    const { out } = await ringproxy(['help', 'ring', 'add']);
    expect(out).toContain('Usage: ringproxy ring add');
    expect(out).toContain('Examples:\n  ringproxy ring add');
  });

  it('of what there is not says so, and carries nothing out', () => {
    const program = buildProgram();
    expect(helpFor(['help', 'ring'], program)).toEqual(['ring', '--help']);
    expect(helpFor(['help', 'ring', 'remove', 'n1'], program)).toEqual(['ring', 'remove', '--help']);
    expect(helpFor(['help', 'foo', 'bar'], program)).toEqual(['foo']);
    expect(helpFor(['help', 'ring', 'foo'], program)).toEqual(['ring', 'foo']);
    for (const args of [['help'], ['help', '--json'], ['ring', 'help', 'add']])
      expect(helpFor(args, program)).toEqual(args);
  });

  it('serve says where the other settings are', async () => {
    expect((await ringproxy(['serve', '--help'])).out).toMatch(/These flags are \d+ of \d+ settings/);
  });
});
