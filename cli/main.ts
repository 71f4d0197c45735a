#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { RingproxyError } from '../src/errors.js';
import { readVersion } from '../src/version.js';
import { CliError } from './cli-error.js';
import { registerCompletionCommand } from './completion.js';
import { registerConfigCommands } from './config-commands.js';
import { registerDemoCommand } from './demo/demo-command.js';
import { registerEventsCommand } from './events-command.js';
import { registerRingCommands } from './ring-commands.js';
import { registerServeCommand } from './serve-command.js';
import { registerStatsCommand } from './stats-command.js';
import { registerTopCommand } from './top-command.js';

function buildProgram(): Command {
  const program = new Command('ringproxy')
    .description('a proxy that spreads a Redis cache over a ring of ordinary Redis nodes')
    .version(readVersion())
    .showHelpAfterError('(ringproxy --help lists the commands and their flags)');
  registerServeCommand(program);
  registerRingCommands(program);
  registerStatsCommand(program);
  registerTopCommand(program);
  registerEventsCommand(program);
  registerConfigCommands(program);
  registerDemoCommand(program);
  registerCompletionCommand(program);
  throwInsteadOfExiting(program);
  return program;
}

/** So that a wrong call ends with 2, as the contract has it, and not with commander's 1. */
function throwInsteadOfExiting(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) throwInsteadOfExiting(sub);
}

/** Tells a failure to a person. @returns the exit code */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CliError || error instanceof RingproxyError) {
    process.stderr.write(`ringproxy: ${error.message}\n${error.hint === '' ? '' : `  ${error.hint}\n`}`);
    return error.exitCode;
  }
  process.stderr.write(`ringproxy: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

// Whoever reads our output may stop early, as `head` does: that is no failure to tell of.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(1);
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}
