#!/usr/bin/env node
import { CommanderError } from 'commander';
import { RingproxyError } from '../src/errors.js';
import { CliError } from './cli-error.js';
import { buildProgram } from './program.js';

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
