/**
 * What is kept near against a bare Redis, and what keys of other groups pay for it: GET of few keys, all of which are kept
 * after a moment, and GET of keys that no policy concerns. Beside it the least that Node.js can answer with: how far what is
 * kept is from that, and whether the load generator can show more than it does.
 */
import type { RedisProcess } from '../../support/redis-process.js';
import type { BenchOptions } from '../options.js';
import { prefill } from '../prefill.js';
import { markdown, type Row, throughputHeader, throughputRow } from '../report.js';
import { runRounds, type Sample } from '../rounds.js';
import type { Scenario } from '../scenarios.js';
import { spread } from '../statistics.js';
import { direct, type Target } from '../targets.js';
import { startBlind, startCaching } from './target.js';

const KEPT_KEYS = 1000;
const KEYS = 100_000;
const VALUE = 64;
/** Times the commands a second of a bare Redis, by pipeline depth; where there is none, it is measured for information. */
const BARS: Readonly<Record<number, number>> = { 1: 1, 16: 1.3 };
/** Of the commands a second where no group has a policy. */
const SHARDED_BAR = 0.98;
const DEPTHS = [1, 16, 64];
/** Its p99 is shown, and has no bar. */
const ANY = Number.POSITIVE_INFINITY;

function get(name: string, depth: number, keys: number, rate: number | undefined): Scenario {
  const bar = rate === undefined ? null : { rate, p99: ANY };
  return { name, load: { command: 'get', depth, valueSize: VALUE, keys }, bar };
}

export async function measureNear(
  nodes: readonly RedisProcess[],
  options: BenchOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  await prefill(nodes, KEYS, VALUE);
  const depths = DEPTHS.filter((depth) => options.depths.length === 0 || options.depths.includes(depth));
  const near = await startCaching(
    nodes,
    'near',
    'key-groups: { kept: { prefixes: ["key:"], cache: near, near-ttl: 1h } }\n',
  );
  const beside = await startCaching(nodes, 'beside', 'key-groups: { kept: { prefixes: ["kept:"], cache: near } }\n');
  const without = await startCaching(nodes, 'without', 'key-groups: { kept: "kept:" }\n');
  const bare = await direct(nodes);
  const blind = await startBlind(VALUE);
  const compare = async (
    scenario: Scenario,
    subject: Target,
    reference: Target,
    others: readonly Target[] = [],
  ): Promise<Row> => {
    const samples = await runRounds(scenario, [subject, reference, ...others], options);
    const of = (target: Target): readonly Sample[] => samples.get(target) ?? [];
    const row = throughputRow(scenario, of(subject), of(reference), others.map(of));
    const times = others.map((other) => spread(of(other).map(({ processor }) => processor.total)).median.toFixed(2));
    return { ...row, cells: [...row.cells, ...times] };
  };
  const hits: Row[] = [];
  const sharded: Row[] = [];
  for (const depth of depths) {
    hits.push(await compare(get('kept near', depth, KEPT_KEYS, BARS[depth]), near, bare, [blind]));
    sharded.push(await compare(get('no policy', depth, KEYS, SHARDED_BAR), beside, without));
  }
  for (const target of [near, beside, without, blind]) await target.stop();
  const table = (header: readonly string[], rows: readonly Row[]): void =>
    print(
      `\n${markdown(
        [...header],
        rows.map(({ cells }) => [...cells]),
      )}`,
    );
  table([...throughputHeader('near', 'direct', [blind.name]), 'blind µs/cmd'], hits);
  table(throughputHeader('a policy elsewhere', 'no policies', []), sharded);
  return [...hits, ...sharded];
}
