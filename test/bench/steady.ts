/**
 * What a command costs while thousands of clients are connected already: a run that opens them spends as much on that
 * as on its commands, and applications keep their connections.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisProcess } from '../support/redis-process.js';
import { NodeCommands } from './node-commands.js';
import { timePerCommand, usedBeyond, usedTime } from './process-usage.js';
import { endlessBenchmark } from './redis-benchmark.js';
import { inTurn, type RoundOptions, type Sample } from './rounds.js';
import type { Scenario } from './scenarios.js';
import type { Target } from './targets.js';

/** From so many clients on a round is measured in its middle. */
export const STEADY_CLIENTS = 1_000;
const OPENING_WINDOW_MS = 500;
/** Two windows in a row with commands of everybody, whose rates differ by less than this part: all are connected. */
const STEADY_PART = 0.1;
/** Gives up waiting for that, and measures. */
const MOST_OPENING_WINDOWS = 30;

/**
 * `runRounds` for thousands of clients: each target is measured in the middle of a load that began before. Processor
 * time and rate only: redis-benchmark tells no percentiles of a part of its run.
 * @param scenario of commands with one key, so that the nodes' commands are the clients'
 */
export async function runSteadyRounds(
  scenario: Scenario,
  targets: readonly Target[],
  nodes: readonly RedisProcess[],
  { clients, rounds, seconds }: RoundOptions,
): Promise<Map<Target, Sample[]>> {
  const commands = await NodeCommands.of(nodes);
  const sampleOf = async (target: Target): Promise<Sample> => {
    const stopLoad = endlessBenchmark(target.port, { ...scenario.load, clients });
    let last = 0;
    for (let i = 0; i < MOST_OPENING_WINDOWS; i++) {
      const { rate } = await measure(commands, target, OPENING_WINDOW_MS);
      if (last > clients && Math.abs(rate / last - 1) < STEADY_PART) break;
      last = rate;
    }
    const result = await measure(commands, target, seconds * 1000);
    await stopLoad();
    return { ...result, p50: Number.NaN, p99: Number.NaN };
  };
  // The first round compiles the code.
  for (const target of targets) await sampleOf(target);
  const samples = await inTurn(targets, rounds, sampleOf);
  commands.close();
  return samples;
}

async function measure(
  commands: NodeCommands,
  { pid }: Target,
  milliseconds: number,
): Promise<Pick<Sample, 'rate' | 'processor'>> {
  const [before, used, start] = [await commands.total(), usedTime(pid), performance.now()];
  await pause(milliseconds);
  const count = (await commands.total()) - before;
  const processor = timePerCommand(usedBeyond(used, usedTime(pid)), count);
  return { rate: (count / (performance.now() - start)) * 1000, processor };
}
