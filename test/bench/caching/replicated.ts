/**
 * Replicated keys against sharded ones of the same proxy: what a read and a write take, in commands a second and in the
 * proxy's processor time. Replicated ones are answered by the proxy itself, so no node has a part in them.
 */
import type { RedisProcess } from '../../support/redis-process.js';
import type { BenchOptions } from '../options.js';
import { prefill } from '../prefill.js';
import { markdown, type Row, throughputHeader, throughputRow } from '../report.js';
import { runRounds } from '../rounds.js';
import type { Scenario } from '../scenarios.js';
import type { Target } from '../targets.js';
import { startCaching } from './target.js';

const KEYS = 10_000;
const VALUE = 64;
const DEPTHS = [1, 16];

/** @param print takes a table as soon as it is known */
export async function measureReplicated(
  nodes: readonly RedisProcess[],
  options: BenchOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  await prefill(nodes, KEYS, VALUE);
  const depths = DEPTHS.filter((depth) => options.depths.length === 0 || options.depths.includes(depth));
  const groups = (policy: string): string => `key-groups: { all: { prefixes: ["key:"], ${policy} } }\n`;
  const replicated = await startCaching(nodes, 'replicated', groups('cache: replicated'));
  const sharded = await startCaching(nodes, 'sharded', groups('cache: sharded'));
  const rows: Row[] = [];
  // Writes first: reads find what they have written.
  for (const command of ['set', 'get'] as const) {
    for (const depth of depths) {
      const name = command === 'set' ? 'writes' : 'reads';
      const scenario: Scenario = { name, load: { command, depth, valueSize: VALUE, keys: KEYS }, bar: null };
      rows.push(await compare(scenario, replicated, sharded, options));
    }
  }
  for (const target of [replicated, sharded]) await target.stop();
  const cells = rows.map((row) => [...row.cells]);
  print(`\n${markdown(throughputHeader('replicated', 'sharded', []), cells)}`);
  return rows;
}

async function compare(scenario: Scenario, subject: Target, reference: Target, options: BenchOptions): Promise<Row> {
  const samples = await runRounds(scenario, [subject, reference], options);
  return throughputRow(scenario, samples.get(subject) ?? [], samples.get(reference) ?? [], []);
}
