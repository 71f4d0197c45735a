import { Argument, type Command } from 'commander';
import { candidates } from './candidates.js';
import { liveNames } from './live-names.js';
import { SHELLS, type Shell, shellScript } from './scripts.js';

/** `ringproxy completion SHELL`: what a shell needs to complete commands, flags, and names of a running proxy. */
export function registerCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a completion script: eval "$(ringproxy completion bash)"; ringproxy completion fish | source')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action((shell: Shell) => {
      process.stdout.write(shellScript(shell));
    });
  program
    .command('complete', { hidden: true })
    .description('what may stand for the last word: a line each, with its description behind a tab')
    .argument('[word...]', 'those behind the name of the program, behind --')
    .action(async (words: readonly string[]) => {
      const { offers, files } = await candidates(program, words, liveNames);
      const lines = offers.map(({ value, description }) => (description === '' ? value : `${value}\t${description}`));
      const text = [...lines, ...(files ? [':files'] : [])].map((line) => `${line}\n`).join('');
      // A proxy that has not answered in time is not waited for.
      process.stdout.write(text, () => process.exit(0));
    });
}
