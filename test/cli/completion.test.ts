import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { completionScript } from '../../cli/completion.js';
import { tempFolder } from '../support/temp-folder.js';

function program(): Command {
  const root = new Command('ringproxy').version('1.2.3');
  const ring = root.command('ring');
  ring.command('show').option('--admin <url>').option('--json');
  ring.command('which').argument('<key...>').option('--json');
  return root;
}

function inBash(words: readonly string[]): Promise<string[]> {
  const file = join(tempFolder('completion'), 'completion.bash');
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const call = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _ringproxy; echo "\${COMPREPLY[@]}"\n`;
  writeFileSync(file, completionScript(program(), 'bash') + call);
  return new Promise((resolve, reject) =>
    execFile('bash', [file], (error, out) => (error === null ? resolve(out.trim().split(' ')) : reject(error))),
  );
}

describe('completion in bash', () => {
  it('knows commands and flags', async () => {
    expect(await inBash(['ringproxy', ''])).toEqual(['ring', '--version']);
    expect(await inBash(['ringproxy', 'ring', ''])).toEqual(['show', 'which']);
    expect(await inBash(['ringproxy', 'ring', 'show', '--j'])).toEqual(['--json']);
  });

  // Symptom: nothing is offered any more. Cause: arguments and values of flags were taken for commands.
  it('goes on after arguments and values of flags', async () => {
    expect(await inBash(['ringproxy', 'ring', 'which', 'a key', '--'])).toEqual(['--json']);
    expect(await inBash(['ringproxy', 'ring', 'show', '--admin', 'http://h:1', '--j'])).toEqual(['--json']);
  });
});

describe('completion in fish', () => {
  it('offers a command only before it is there', () => {
    const script = completionScript(program(), 'fish');
    expect(script).toContain("complete -c ringproxy -f -n '__fish_use_subcommand' -a ring\n");
    expect(script).toContain(
      "-n '__fish_seen_subcommand_from ring; and not __fish_seen_subcommand_from show which' -a show\n",
    );
    expect(script).toContain("-n '__fish_seen_subcommand_from ring; and __fish_seen_subcommand_from show' -l json\n");
  });
});
