#!/usr/bin/env node
import { buildProgram, helpFor } from './program.js';
import { endWithOutput, report, wantsJson } from './report.js';

const args = helpFor(process.argv.slice(2));
endWithOutput();
try {
  await buildProgram({ quiet: wantsJson(args) }).parseAsync(args, { from: 'user' });
} catch (error) {
  process.exitCode = report(error, args);
}
