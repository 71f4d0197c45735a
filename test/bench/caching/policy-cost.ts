/**
 * What keys of groups without a policy pay when another group gets one: one process whose other group is kept near in
 * one moment, and is just counted in the next.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisProcess } from '../../support/redis-process.js';
import { startRingproxy } from '../../support/ringproxy-process.js';
import type { BenchOptions } from '../options.js';
import { extraTime, loss, measurePairs, pairsFor, percent } from '../pairs.js';
import { prefill } from '../prefill.js';
import { markdown, type Row, verdict } from '../report.js';
import { isPlainLoad, SCENARIOS } from '../scenarios.js';

/** Part of the commands a second that it may cost. */
const LOSS_BAR = 0.02;
const KEYS = 100_000;
const VALUE = 64;
const PLAIN = { kept: { prefixes: ['kept:'] } };
const NEAR = { kept: { prefixes: ['kept:'], cache: 'near' } };
/** Feeds open, and what was compiled for the one way is used for the other. */
const SETTLED_MS = 100;

export async function measurePolicyCost(
  nodes: readonly RedisProcess[],
  options: BenchOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  await prefill(nodes, KEYS, VALUE);
  const { clients, depths } = options;
  const count = pairsFor(options);
  const rows: Row[] = [];
  for (const scenario of SCENARIOS.filter((candidate) => isPlainLoad(candidate, depths))) {
    // Each node has all keys, so that each way of sharing them out finds them.
    const proxy = await startRingproxy({
      ...{ nodes, allowLog: [/does not own/] },
      config: `key-groups: ${JSON.stringify(NEAR)}\n`,
    });
    const turn = async (on: boolean): Promise<void> => {
      const response = await fetch(`${proxy.admin}/v1/groups?force=true`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(on ? NEAR : PLAIN),
      });
      if (!response.ok) throw new Error(`the groups were not changed: ${await response.text()}`);
      await pause(SETTLED_MS);
    };
    const pairs = await measurePairs(nodes, proxy, scenario, count, clients, { turn });
    await proxy.stop();
    const lost = loss(pairs);
    // What the error leaves open is nobody's fault.
    const passed = lost.mean - lost.error <= LOSS_BAR;
    rows.push({
      passed,
      cells: [
        ...[scenario.name, String(scenario.load.depth), percent(lost), percent(extraTime(pairs))],
        ...[`≤ ${LOSS_BAR * 100} %`, verdict(passed)],
      ],
    });
  }
  print(`\n${count} pairs of windows in one process, another group kept near against just counted\n`);
  const header = ['a policy elsewhere', 'P', 'loss of commands (standard error)', 'more CPU a command', 'bar', ''];
  print(
    markdown(
      header,
      rows.map(({ cells }) => [...cells]),
    ),
  );
  return rows;
}
