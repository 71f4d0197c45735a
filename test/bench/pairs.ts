/**
 * One process under one load that never pauses, which does something in one moment and does not in the next, over and
 * over.
 *
 * Two processes of the very same program differ by 5 % and more for as long as they live, and so does one process from
 * one second to the next on a machine that is not alone. So only neighbouring windows of a quarter of a second compare,
 * and there are many pairs of them: their mean has an error of 1 to 2 %, which stands beside it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisProcess } from '../support/redis-process.js';
import type { RingproxyProcess } from '../support/ringproxy-process.js';
import { NodeCommands } from './node-commands.js';
import { processorTime } from './process-usage.js';
import { endlessBenchmark } from './redis-benchmark.js';
import type { Scenario } from './scenarios.js';
import { type Estimate, estimate } from './statistics.js';
import { SWITCH_SIGNAL } from './switched-build.js';

export const WINDOW_MS = 250;
/** What a young process spends on compiling its code is not what anything costs. */
const WARM_UP_WINDOWS = 16;
/** A signal is heard by the event loop, in its next turn. */
const SWITCHED_MS = 5;

export interface Window {
  /** Commands a second. */
  readonly rate: number;
  /** Microseconds of the proxy's processor time a command. */
  readonly processor: number;
}

export interface Pair {
  readonly on: Window;
  readonly off: Window;
}

export interface Switched {
  /** It is on when the process starts. */
  turn(on: boolean): Promise<void>;
  /** Happens within each window; default: nothing. */
  during?(on: boolean): Promise<void>;
}

/** What is switched by the signal that `switchedBuild` has put in. */
export function bySignal(proxy: RingproxyProcess): Switched {
  return {
    turn: async () => {
      process.kill(proxy.pid, SWITCH_SIGNAL);
      await pause(SWITCHED_MS);
    },
  };
}

/** How many pairs of windows take as long as the rounds would. */
export function pairsFor({ rounds, seconds }: { readonly rounds: number; readonly seconds: number }): number {
  return Math.max(2, Math.round((rounds * seconds * 1000) / WINDOW_MS));
}

export async function measurePairs(
  nodes: readonly RedisProcess[],
  proxy: RingproxyProcess,
  { load }: Scenario,
  pairs: number,
  clients: number,
  { turn, during }: Switched,
): Promise<Pair[]> {
  const commands = await NodeCommands.of(nodes);
  const stopLoad = endlessBenchmark(proxy.port, { ...load, clients });
  let isOn = true;
  const measure = async (on: boolean): Promise<Window> => {
    if (on !== isOn) await turn(on);
    isOn = on;
    const before = await read(commands, proxy.pid);
    const happening = during?.(on);
    await pause(WINDOW_MS);
    await happening;
    const after = await read(commands, proxy.pid);
    const count = after.commands - before.commands;
    return {
      rate: count / (after.seconds - before.seconds),
      processor: (after.processor - before.processor) / count,
    };
  };
  for (let i = 0; i < WARM_UP_WINDOWS; i++) await measure(i % 2 === 0);
  const result: Pair[] = [];
  for (let i = 0; i < pairs; i++) {
    // Neither is always the first: what drifts evens out.
    const first = await measure(i % 2 === 0);
    const second = await measure(i % 2 !== 0);
    result.push(i % 2 === 0 ? { on: first, off: second } : { on: second, off: first });
  }
  await stopLoad();
  commands.close();
  return result;
}

/** Part of the commands a second that is lost while it is on. */
export function loss(pairs: readonly Pair[]): Estimate {
  return estimate(pairs.map(({ on, off }) => 1 - on.rate / off.rate));
}

/** Part of the processor time a command that it takes more while it is on. */
export function extraTime(pairs: readonly Pair[]): Estimate {
  return estimate(pairs.map(({ on, off }) => on.processor / off.processor - 1));
}

export function percent({ mean, error }: Estimate): string {
  return `${(mean * 100).toFixed(1)} % (±${(error * 100).toFixed(1)})`;
}

/** The nodes count whether the proxy does or not. */
async function read(
  nodes: NodeCommands,
  pid: number,
): Promise<{ commands: number; processor: number; seconds: number }> {
  return { commands: await nodes.total(), processor: processorTime(pid), seconds: performance.now() / 1000 };
}
