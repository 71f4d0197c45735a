import { createLogUpdate } from 'log-update';
import type { ChangeView, HistoryEntry } from '../src/admin/api.js';
import { AnyProxy } from './any-proxy.js';
import { CliError } from './cli-error.js';
import { colors } from './colors.js';
import type { CommonOptions } from './common-options.js';
import { formatBytes, formatCount, wrap } from './format.js';

const POLL_MS = 200;
const BAR_WIDTH = 30;
/** Of a terminal that does not say how wide it is. */
const WIDTH = 80;
/** A change is over a moment before it is in the history. */
const OUTCOME_MS = 5_000;

/** One line on a running change: bar, keys, rate, time left. */
export function describeProgress(change: ChangeView): string {
  const filled = Math.round((change.percent / 100) * BAR_WIDTH);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
  // A proxy of an earlier version does not tell it.
  const rate =
    change.paused || change.keysPerSecond === undefined ? '' : `, ${formatCount(change.keysPerSecond)} keys/s`;
  const left = change.etaSeconds === null ? '' : `, ${change.etaSeconds} s left`;
  const throttle = change.throttle > 0 ? `, throttled to ${formatCount(change.throttle)} keys/s` : '';
  const state = change.paused ? ', paused' : '';
  const line = `${change.kind}: ${change.phase} ${bar} ${change.percent.toFixed(1)} %  ${formatCount(change.keysMoved)} keys moved${rate}${throttle}${left}${state}`;
  const large = change.sources.flatMap(({ node, largeKey }) =>
    largeKey === null ? [] : [`${node}: ${largeKey.key} is large (${formatBytes(largeKey.bytes)}) and moves alone`],
  );
  return [line, ...large, ...(change.error === null ? [] : [colors.red(change.error)])].join('\n');
}

/**
 * Shows the running change until it is done, and says what came of it.
 * @param generation the first one that the change can lead to
 * @throws CliError when it has paused because of a failure, or was turned round by somebody else
 */
export async function follow(
  options: CommonOptions,
  { generation, cancels = false }: { generation: number; cancels?: boolean },
): Promise<void> {
  const draw = createLogUpdate(process.stderr);
  const proxy = new AnyProxy(options, (url) => {
    if (process.stderr.isTTY) draw.clear();
    process.stderr.write(`the proxy does not answer any more; the change goes on, as ${url} shows it\n`);
  });
  let last: ChangeView | null = null;
  for (;;) {
    const { change } = await proxy.ring();
    if (change === null) break;
    last = change;
    if (process.stderr.isTTY) draw(wrap(describeProgress(change), process.stderr.columns || WIDTH).join('\n'));
    if (change.paused && change.error !== null) {
      draw.done();
      throw new CliError(change.error, 'mend it, then: ringproxy ring resume; or go back: ringproxy ring cancel');
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  if (process.stderr.isTTY) draw.done();
  const entry = await outcome(proxy, generation);
  if (entry === null) {
    throw new CliError('the change ended and is not in the history', "the proxy's log says why: ringproxy ring show");
  }
  if (entry.kind === 'cancel' && !cancels) {
    throw new CliError(entry.summary, 'everything is back where it was: ringproxy ring history');
  }
  if (options.json === true) return;
  const moved = entry.keysMoved || last?.keysMoved || 0;
  process.stdout.write(
    `done: ${entry.summary}; generation ${entry.generation}, ${formatCount(moved)} keys moved in ${entry.durationSeconds.toFixed(1)} s\n`,
  );
}

/** What the history says of the change that led to `generation` or, turned round, past it; null: nothing in time. */
async function outcome(proxy: AnyProxy, generation: number): Promise<HistoryEntry | null> {
  const deadline = Date.now() + OUTCOME_MS;
  for (;;) {
    const entry = (await proxy.history()).at(-1);
    if (entry !== undefined && entry.generation >= generation) return entry;
    if (Date.now() > deadline) return null;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
