// Programs that run beside each other: tests, which wait for most of their time, and what only computes.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { environment, root } from '../../cli/bootstrap/project.mjs';

const { PRIORITY_LOW, PRIORITY_HIGHEST } = constants.priority;
/** From whichever priority to the lowest one. */
const WHOLE_RANGE = PRIORITY_LOW - PRIORITY_HIGHEST;

/** Runs a program in the project's folder with our own input and output. @returns its exit code, once it has ended */
export async function runMeanwhile(program, args) {
  const { status, output } = await start(program, args, 'inherit');
  process.stderr.write(output);
  return status;
}

/** The same at the lowest priority: it takes what others leave of the processors. @returns what it has written, too */
export function runAside(program, args) {
  // By `nice`, whose priority all threads have, and all that is started in turn. It adds to the priority that this process
  // has, up to the lowest one.
  return start('nice', ['-n', String(WHOLE_RANGE), program, ...args], ['ignore', 'pipe', 'pipe']);
}

function start(program, args, stdio) {
  const child = spawn(program, args, { cwd: root, stdio, env: environment });
  const output = [];
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ status: 1, output: `${program}: ${error.message}\n` }));
    child.once('close', (status) => resolve({ status: status ?? 1, output: Buffer.concat(output).toString() }));
  });
}
