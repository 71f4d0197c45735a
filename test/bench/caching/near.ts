/**
 * What is kept near against a bare Redis: GET of few keys, all of which are kept after a moment. Beside it the least that
 * Node.js can answer with: how far what is kept is from that, and whether the load generator can show more than it does.
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
const DEPTHS = [1, 16, 64];
/** Its p99 is shown, and has no bar. */
const ANY = Number.POSITIVE_INFINITY;

function get(depth: number, rate: number | undefined): Scenario {
  const bar = rate === undefined ? null : { rate, p99: ANY };
  return { name: 'kept near', load: { command: 'get', depth, valueSize: VALUE, keys: KEPT_KEYS }, bar };
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
  const bare = await direct(nodes);
  const blind = await startBlind(VALUE);
  const rows: Row[] = [];
  for (const depth of depths) {
    const scenario = get(depth, BARS[depth]);
    const samples = await runRounds(scenario, [near, bare, blind], options);
    const of = (target: Target): readonly Sample[] => samples.get(target) ?? [];
    const row = throughputRow(scenario, of(near), of(bare), [of(blind)]);
    const blindTime = spread(of(blind).map(({ processor }) => processor.total)).median.toFixed(2);
    rows.push({ ...row, cells: [...row.cells, blindTime] });
  }
  for (const target of [near, blind]) await target.stop();
  const header = [...throughputHeader('near', 'direct', [blind.name]), 'blind µs/cmd'];
  print(
    `\n${markdown(
      header,
      rows.map(({ cells }) => [...cells]),
    )}`,
  );
  return rows;
}
