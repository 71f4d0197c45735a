/** How a failure is told: a sentence for people, JSON for programs that asked for JSON, and an exit code. */
import { CommanderError } from 'commander';
import { AdminError } from '../src/client/admin-error.js';
import { messageOf, RingproxyError } from '../src/errors.js';
import { CliError } from './cli-error.js';

/** What is told of a failure that no row of a table is of. */
const CALLED_WRONGLY = 'USAGE';
const FAILED = 'FAILED';

/** Whoever reads may stop early, as `head` does: that is no failure to tell of, and nobody is there to hear of it. */
const NOBODY_READS = 'EPIPE';

/**
 * Tells a failure on standard error.
 * @param args the words behind the program's name
 * @returns the exit code: 1 when it failed, 2 when it was called wrongly
 */
export function report(error: unknown, args: readonly string[]): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const { text, exitCode, ...told } = describe(error);
  if (wantsJson(args)) say(`${JSON.stringify({ error: told })}\n`);
  // commander has told its own already.
  else if (!(error instanceof CommanderError)) say(text);
  return exitCode;
}

/** commander tells a wrong call as it finds it: of a program that wants JSON, only the JSON is for. */
export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

/** What cannot be written is told where that is possible, and ends the program. */
export function endWithOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever has read enough has what was asked for.
    if (error.code === NOBODY_READS) process.exit(0);
    say(`ringproxy: standard output cannot be written: ${error.message}\n`);
    process.exit(1);
  });
  // A full disk holds nothing of what is to be said of it.
  process.stderr.on('error', () => process.exit(1));
}

interface Told {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exitCode: number;
  /** As people are told. */
  readonly text: string;
}

function describe(error: unknown): Told {
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '');
    return { code: CALLED_WRONGLY, message, hint: 'ringproxy --help', exitCode: 2, text: '' };
  }
  if (error instanceof CliError || error instanceof AdminError || error instanceof RingproxyError) {
    const { message, hint, exitCode } = error;
    const code = error.code || (exitCode === 2 ? CALLED_WRONGLY : FAILED);
    return { code, message, hint, exitCode, text: `ringproxy: ${message}\n${hint === '' ? '' : `  ${hint}\n`}` };
  }
  const message = messageOf(error);
  const text = `ringproxy: ${error instanceof Error ? (error.stack ?? message) : message}\n`;
  return { code: FAILED, message, hint: '', exitCode: 1, text };
}

function say(text: string): void {
  process.stderr.write(text);
}
