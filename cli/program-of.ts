import { Command } from 'commander';
import { readVersion } from '../src/version.js';
import { withExamples } from './examples.js';

export interface ProgramOptions {
  /** A wrong call is told by whoever catches it. */
  readonly quiet?: boolean;
}

/** @returns the program with the commands that are registered at it */
export function programOf(register: (program: Command) => void, { quiet = false }: ProgramOptions): Command {
  const program = new Command('ringproxy')
    .description('a proxy that spreads a Redis cache over a ring of ordinary Redis nodes')
    .version(readVersion())
    .showHelpAfterError('(ringproxy --help lists the commands and their flags)');
  register(program);
  withExamples(program);
  forEach(program, (command) => {
    // So that a wrong call ends with 2, as the contract has it, and not with commander's 1.
    command.exitOverride();
    if (quiet) command.configureOutput({ outputError: () => {}, writeErr: () => {} });
  });
  return program;
}

function forEach(command: Command, act: (command: Command) => void): void {
  act(command);
  for (const sub of command.commands) forEach(sub, act);
}
