#!/usr/bin/env node
import type { Command } from 'commander';
import type { ProgramOptions } from './program-of.js';
import { endWithOutput, report, wantsJson } from './report.js';

const called = process.argv.slice(2);
const { program, args } = await understand({ quiet: wantsJson(called) });
endWithOutput();
try {
  await program.parseAsync(args, { from: 'user' });
} catch (error) {
  process.exitCode = report(error, args);
}

/** A proxy starts in less time without all that the other commands are made of. */
async function understand(options: ProgramOptions): Promise<{ program: Command; args: readonly string[] }> {
  if (called[0] === 'serve') {
    const { buildServeProgram } = await import('./serve-program.js');
    return { program: buildServeProgram(options), args: called };
  }
  const { buildProgram, helpFor } = await import('./program.js');
  const program = buildProgram(options);
  return { program, args: helpFor(called, program) };
}
