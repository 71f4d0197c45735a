/** What finding hot keys costs: one process that looks for them in one moment, and does not in the next. */
import type { RedisProcess } from '../../support/redis-process.js';
import { startRingproxy } from '../../support/ringproxy-process.js';
import type { BenchOptions } from '../options.js';
import { bySignal, extraTime, loss, measurePairs, pairsFor, percent } from '../pairs.js';
import { prefill } from '../prefill.js';
import { markdown, type Row, verdict } from '../report.js';
import { isPlainLoad, SCENARIOS } from '../scenarios.js';
import { HOT_KEYS, switchedBuild } from '../switched-build.js';

/** Part of the commands a second that it may cost. */
const LOSS_BAR = 0.01;
const KEYS = 100_000;
const VALUE = 64;

export async function measureHotKeys(
  nodes: readonly RedisProcess[],
  options: BenchOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  await prefill(nodes, KEYS, VALUE);
  const main = switchedBuild(HOT_KEYS);
  const { clients, depths } = options;
  const count = pairsFor(options);
  const rows: Row[] = [];
  for (const scenario of SCENARIOS.filter((candidate) => candidate.name === 'get' && isPlainLoad(candidate, depths))) {
    // Each node has all keys, so that each way of sharing them out finds them.
    const proxy = await startRingproxy({ nodes, main, allowLog: [/does not own/] });
    const pairs = await measurePairs(nodes, proxy, scenario, count, clients, bySignal(proxy));
    await proxy.stop();
    const lost = loss(pairs);
    // What the error leaves open is nobody's fault.
    const passed = lost.mean - lost.error <= LOSS_BAR;
    rows.push({
      passed,
      cells: [
        scenario.name,
        String(scenario.load.depth),
        percent(lost),
        percent(extraTime(pairs)),
        `≤ ${LOSS_BAR * 100} %`,
        verdict(passed),
      ],
    });
  }
  const header = ['hot keys', 'P', 'loss of commands (standard error)', 'more CPU a command', 'bar', ''];
  print(`\n${count} pairs of windows in one process, looking for hot keys against not looking\n`);
  print(
    markdown(
      header,
      rows.map(({ cells }) => [...cells]),
    ),
  );
  return rows;
}
