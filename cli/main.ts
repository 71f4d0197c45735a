#!/usr/bin/env node
import { buildProgram, helpFor } from './program.js';
import { endWithOutput, report, wantsJson } from './report.js';

const called = process.argv.slice(2);
const program = buildProgram({ quiet: wantsJson(called) });
const args = helpFor(called, program);
endWithOutput();
try {
  await program.parseAsync(args, { from: 'user' });
} catch (error) {
  process.exitCode = report(error, args);
}
