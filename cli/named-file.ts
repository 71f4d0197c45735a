/**
 * Files that a command line names. Anything that can be read will do, what a shell puts in for `<(…)` as well: whoever
 * has typed the command waits for it and can end it, which a server's settings cannot (`src/regular-file.ts`).
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { messageOf } from '../src/errors.js';
import { CliError } from './cli-error.js';

/** As a path: standard input, which `-` stands for where a command allows it. */
export const STANDARD_INPUT = 0;

/**
 * @param called what the message calls it, such as `the token`, or its path
 * @param hint what to name instead
 * @throws CliError with the system's reason, and as a command that was called wrongly
 */
export function readNamedFile(file: string | typeof STANDARD_INPUT, called: string, hint: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CliError(`${called} cannot be read: ${messageOf(error)}`, hint, 2);
  }
}

/**
 * @returns what the YAML says
 * @throws CliError when it cannot be read, or is none
 */
export function readNamedYaml(file: string): unknown {
  const text = readNamedFile(file, file, 'check the path and its permissions').toString();
  try {
    return parse(text);
  } catch (error) {
    throw new CliError(`${file} is not YAML: ${messageOf(error)}`, 'mend it at the place that is named', 2);
  }
}
