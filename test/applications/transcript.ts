/** What an application saw, with what differs from run to run taken out. */
import type { Redis } from 'ioredis';

export interface Step {
  readonly step: string;
  readonly result: unknown;
}

/** Names that are made up anew for each run: of jobs, tasks, processes. */
const MADE_UP: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID'],
  [/[0-9a-f]{12,}/g, 'HEX'],
  // Sidekiq's processes are named after their host and process id, which may be any number.
  [/(?<=^|")([\w.-]+):\d+:HEX\b/g, '$1:PID:HEX'],
  [/(?<=:)\d{4,}(?=:|$)/g, 'NUMBER'],
];

/** A step that fails with a single Redis, too, says so in its name; any other one that fails there is a mistake here. */
const FAILS = / \(fails\)$/;

/** @param lines of JSON, one for each step */
export function readTranscript(lines: readonly string[]): Step[] {
  return lines.filter((line) => line !== '').map((line) => JSON.parse(withoutMadeUp(line)) as Step);
}

/** @returns the steps that did not end as their names say */
export function surprises(transcript: readonly Step[]): Step[] {
  return transcript.filter(({ step, result }) => FAILS.test(step) !== isError(result));
}

/** @returns the transcript with a line for each step, so that a difference is short */
export function toLines(transcript: readonly Step[]): string[] {
  return transcript.map(({ step, result }) => `${step}: ${JSON.stringify(result)}`);
}

/** @returns the keys that are there now, each with its type and whether it goes away by itself, in an order */
export async function keyspace(redis: Redis): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of redis.scanStream({ count: 1000 })) keys.push(...(page as string[]));
  const about = await Promise.all(keys.map((key) => Promise.all([redis.type(key), redis.pttl(key)])));
  return keys
    .map((key, i) => {
      const [type = 'none', ttl = -2] = about[i] ?? [];
      return `${withoutMadeUp(key)}: ${type}${ttl === -1 ? '' : ' for a time'}`;
    })
    .sort();
}

function withoutMadeUp(text: string): string {
  return MADE_UP.reduce((left, [pattern, name]) => left.replace(pattern, name), text);
}

function isError(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'error' in result;
}
