import { type ProcessorTime, processorTimeSince, usedTime } from './process-usage.js';
import { type LoadResult, redisBenchmark } from './redis-benchmark.js';
import type { Scenario } from './scenarios.js';
import type { Target } from './targets.js';

export interface Sample extends LoadResult {
  /** Of the target, a command. */
  readonly processor: ProcessorTime;
}

export interface RoundOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly clients: number;
}

/** Less tells nothing. */
const LEAST_REQUESTS = 2_000;

/**
 * Puts the targets under the scenario's load in turn, round by round, since figures drift with time: only what
 * ran in the same round compares.
 * @returns each target's samples, one a round
 */
export async function runRounds(
  scenario: Scenario,
  targets: readonly Target[],
  options: RoundOptions,
): Promise<Map<Target, Sample[]>> {
  const samples = new Map<Target, Sample[]>();
  const requests = new Map<Target, number>();
  for (const target of targets) {
    samples.set(target, []);
    requests.set(target, await requestsFor(scenario, target, options));
  }
  for (let round = 0; round < options.rounds; round++) {
    // Every other round backwards: nobody always follows the same one.
    for (const target of round % 2 === 0 ? targets : [...targets].reverse()) {
      const count = requests.get(target) ?? LEAST_REQUESTS;
      const before = usedTime(target.pid);
      const result = await redisBenchmark(target.port, { ...scenario.load, clients: options.clients, requests: count });
      const { total, user, system } = processorTimeSince(target.pid, before);
      const processor = { total: total / count, user: user / count, system: system / count };
      samples.get(target)?.push({ ...result, processor });
    }
  }
  return samples;
}

/** Warms the target up. @returns how many commands it answers in the time of a round */
async function requestsFor(scenario: Scenario, target: Target, options: RoundOptions): Promise<number> {
  const load = { ...scenario.load, clients: options.clients };
  const probe = await redisBenchmark(target.port, { ...load, requests: LEAST_REQUESTS * scenario.load.depth });
  const seconds = Math.min(0.5, options.seconds);
  const warm = await redisBenchmark(target.port, { ...load, requests: atLeast(probe.rate * seconds) });
  return atLeast(warm.rate * options.seconds);
}

function atLeast(requests: number): number {
  return Math.max(LEAST_REQUESTS, Math.round(requests));
}
