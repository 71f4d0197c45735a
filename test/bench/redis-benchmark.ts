import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { atEnd } from '../support/cleanup.js';
import { requireProgram } from '../support/programs.js';

const execute = promisify(execFile);

export interface Load {
  /** A test of redis-benchmark's own (`get`), or the words of a command, in which `__rand_int__` is random. */
  readonly command: string | readonly string[];
  readonly clients: number;
  /** Commands that a client sends before it waits for their replies. */
  readonly depth: number;
  /** Bytes. */
  readonly valueSize: number;
  /** Keys are `key:000000000000` up to this number. */
  readonly keys: number;
  readonly requests: number;
}

export interface LoadResult {
  /** Commands a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** More than it can send in hours. */
const ENDLESS = 2_000_000_000;

/** The name of a key as redis-benchmark makes it. */
export function benchmarkKey(number: number): string {
  return `key:${String(number).padStart(12, '0')}`;
}

/**
 * @param by TLS, with the authority's file; null: plainly
 * @throws Error when the server answers an error, which ends redis-benchmark
 */
export async function redisBenchmark(
  port: number,
  load: Load,
  by: { readonly ca: string } | null = null,
): Promise<LoadResult> {
  const secure = by === null ? [] : ['--tls', '--cacert', by.ca];
  const { stdout, stderr } = await execute(
    requireProgram('redis-benchmark'),
    [...secure, ...argumentsFor(port, load)],
    {
      maxBuffer: 16 << 20,
    },
  );
  return parseCsv(stdout, stderr);
}

/** Keeps the server under load. @returns ends it; fails when redis-benchmark has ended by itself */
export function endlessBenchmark(port: number, load: Omit<Load, 'requests'>): () => Promise<void> {
  const args = argumentsFor(port, { ...load, requests: ENDLESS });
  const child = spawn(requireProgram('redis-benchmark'), args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  atEnd(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return async () => {
    if (!child.kill('SIGKILL')) throw new Error('redis-benchmark ended before it was to');
    await ended;
  };
}

function argumentsFor(port: number, load: Load): string[] {
  const args = ['-h', '127.0.0.1', '-p', port, '-c', load.clients, '-P', load.depth, '-n', load.requests];
  args.push('-d', load.valueSize, '-r', load.keys, '--csv');
  if (typeof load.command === 'string') args.push('-t', load.command);
  else args.push(...load.command);
  return args.map(String);
}

/** The last two lines of `--csv` are the names of the columns and the figures, all of them quoted. */
function parseCsv(stdout: string, stderr: string): LoadResult {
  const lines = stdout.split('\n').filter((line) => line.startsWith('"'));
  const cells = (line: string | undefined) => [...(line ?? '').matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '');
  const header = cells(lines.at(-2));
  const row = cells(lines.at(-1));
  const figure = (column: string) => Number(row[header.indexOf(column)]);
  const result = { rate: figure('rps'), p50: figure('p50_latency_ms'), p99: figure('p99_latency_ms') };
  if (!(result.rate > 0)) throw new Error(`redis-benchmark printed no result:\n${stdout}\n${stderr}`);
  return result;
}
