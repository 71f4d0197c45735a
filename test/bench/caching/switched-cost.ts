/** What something costs that one process does in one moment, and does not in the next (see `pairs.ts`). */
import type { RedisProcess } from '../../support/redis-process.js';
import { type RingproxyOptions, type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import type { BenchOptions } from '../options.js';
import { extraTime, loss, measurePairs, pairsFor, percent, type Switched } from '../pairs.js';
import { prefill } from '../prefill.js';
import { markdown, type Row, verdict } from '../report.js';
import { isPlainLoad, SCENARIOS } from '../scenarios.js';

const KEYS = 100_000;
const VALUE = 64;

export interface SwitchedCost {
  /** Heads the table's first column. */
  readonly name: string;
  /** What is compared, behind the number of pairs. */
  readonly compared: string;
  /** Part of the commands a second that it may cost. */
  readonly bar: number;
  /** Of GET and SET of small values; default: both. */
  readonly commands?: readonly string[];
  readonly proxy: Pick<RingproxyOptions, 'main' | 'config'>;
  readonly switched: (proxy: RingproxyProcess) => Switched;
}

export async function measureSwitchedCost(
  { name, compared, bar, commands = ['get', 'set'], proxy: started, switched }: SwitchedCost,
  nodes: readonly RedisProcess[],
  options: BenchOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  await prefill(nodes, KEYS, VALUE);
  const { clients, depths } = options;
  const count = pairsFor(options);
  const rows: Row[] = [];
  for (const scenario of SCENARIOS) {
    if (!isPlainLoad(scenario, depths) || !commands.includes(scenario.name)) continue;
    // Each node has all keys, so that each way of sharing them out finds them.
    const proxy = await startRingproxy({ nodes, ...started, allowLog: [/does not own/] });
    const pairs = await measurePairs(nodes, proxy, scenario, count, clients, switched(proxy));
    await proxy.stop();
    const lost = loss(pairs);
    // What the error leaves open is nobody's fault.
    const passed = lost.mean - lost.error <= bar;
    rows.push({
      passed,
      cells: [
        ...[scenario.name, String(scenario.load.depth), percent(lost), percent(extraTime(pairs))],
        ...[`≤ ${bar * 100} %`, verdict(passed)],
      ],
    });
  }
  print(`\n${count} pairs of windows in one process, ${compared}\n`);
  const header = [name, 'P', 'loss of commands (standard error)', 'more CPU a command', 'bar', ''];
  print(
    markdown(
      header,
      rows.map(({ cells }) => cells),
    ),
  );
  return rows;
}
