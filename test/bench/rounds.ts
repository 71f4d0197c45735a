import { messageOf } from '../../src/errors.js';
import { type ProcessorTime, timePerCommand, usedBeyond, usedTime } from './process-usage.js';
import { type Load, type LoadResult, redisBenchmark } from './redis-benchmark.js';
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
  const load = { ...scenario.load, clients: options.clients };
  const requests = new Map<Target, number>();
  for (const target of targets) requests.set(target, await requestsFor(load, target, options));
  return inTurn(targets, options.rounds, (target) =>
    wholeSample(target, { ...load, requests: requests.get(target) ?? LEAST_REQUESTS }),
  );
}

/** Takes a sample of each target in each round. */
export async function inTurn(
  targets: readonly Target[],
  rounds: number,
  sampleOf: (target: Target) => Promise<Sample>,
): Promise<Map<Target, Sample[]>> {
  const samples = new Map<Target, Sample[]>(targets.map((target) => [target, []]));
  for (let round = 0; round < rounds; round++) {
    // Every other round backwards: nobody always follows the same one.
    for (const target of round % 2 === 0 ? targets : [...targets].reverse()) {
      samples.get(target)?.push(await sampleOf(target));
    }
  }
  return samples;
}

/** Errors say which target it was. */
async function loadOn({ name, port }: Target, load: Load): Promise<LoadResult> {
  try {
    return await redisBenchmark(port, load);
  } catch (error) {
    throw new Error(`${name}: ${messageOf(error)}`, { cause: error });
  }
}

async function wholeSample(target: Target, load: Load): Promise<Sample> {
  const before = usedTime(target.pid);
  const result = await loadOn(target, load);
  return { ...result, processor: timePerCommand(usedBeyond(before, usedTime(target.pid)), load.requests) };
}

/** Warms the target up. @returns how many commands it answers in the time of a round */
async function requestsFor(load: Omit<Load, 'requests'>, target: Target, options: RoundOptions): Promise<number> {
  const probe = await loadOn(target, { ...load, requests: LEAST_REQUESTS * load.depth });
  const seconds = Math.min(0.5, options.seconds);
  const warm = await loadOn(target, { ...load, requests: atLeast(probe.rate * seconds) });
  return atLeast(warm.rate * options.seconds);
}

function atLeast(requests: number): number {
  return Math.max(LEAST_REQUESTS, Math.round(requests));
}
