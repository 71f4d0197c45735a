import { createLogUpdate } from 'log-update';
import type { ChangeView, HistoryEntry } from '../src/admin/api.js';
import { AnyProxy } from '../src/client/any-proxy.js';
import { followChange } from '../src/client/follow.js';
import { colors } from './colors.js';
import type { CommonOptions } from './common-options.js';
import { formatBytes, formatCount, formatCounted, formatDuration, wrap } from './format.js';

const WIDEST_BAR = 30;
const NARROWEST_BAR = 5;
/** Of a terminal that does not say how wide it is. */
const WIDTH = 80;
/** What a shell says of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

/**
 * One line on a running change: bar, keys, rate, time left; and what is in its way below it.
 * @param width columns that there are for it; the bar takes what the rest leaves
 */
export function describeProgress(change: ChangeView, width = WIDTH): string {
  const { kind, phase, percent, keysMoved, paused, etaSeconds, throttle } = change;
  const rate = paused ? '' : `, ${formatCount(Math.round(change.keysPerSecond))} keys/s`;
  const throttled = throttle > 0 ? `, throttled to ${formatCount(throttle)} keys/s` : '';
  const left = paused ? ', paused' : etaSeconds === null ? '' : `, ${formatDuration(etaSeconds)} left`;
  const moved = `${formatCounted(keysMoved, 'key')} moved`;
  const head = `${kind}: ${phase} `;
  const tail = ` ${percent.toFixed(1)} %  ${moved}${rate}${throttled}${left}`;
  const room = Math.min(WIDEST_BAR, Math.max(NARROWEST_BAR, width - head.length - tail.length));
  const filled = Math.round((percent / 100) * room);
  const line = `${head}${'█'.repeat(filled)}${'░'.repeat(room - filled)}${tail}`;
  const large = change.sources.flatMap(({ node, largeKey }) =>
    largeKey === null ? [] : [`${node}: ${largeKey.key} is large (${formatBytes(largeKey.bytes)}) and moves alone`],
  );
  return [line, ...large, ...(change.error === null ? [] : [colors.red(change.error)])].join('\n');
}

/**
 * Shows the running change until it is done, and says what came of it.
 * @param generation the first one that the change can lead to
 * @throws AdminError when it has paused because of a failure, or was turned round by somebody else
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
  let seen = 0;
  const onProgress = (change: ChangeView): void => {
    seen = change.keysMoved;
    const width = process.stderr.columns || WIDTH;
    // A line that fills its terminal whole is broken by some.
    if (process.stderr.isTTY) draw(wrap(describeProgress(change, width - 1), width).join('\n'));
  };
  // Who looks on no longer may believe that the change ends with it.
  const leave = (): void => {
    if (process.stderr.isTTY) draw.done();
    process.stderr.write(
      'the change goes on: ringproxy ring status --watch follows it, ringproxy ring cancel takes it back\n',
    );
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', leave);
  let entry: HistoryEntry;
  try {
    entry = await followChange(proxy, generation, { onProgress, cancels });
  } finally {
    process.off('SIGINT', leave);
    if (process.stderr.isTTY) draw.done();
  }
  if (options.json === true) return;
  const moved = entry.keysMoved || seen;
  process.stdout.write(
    `done: ${entry.summary}; generation ${entry.generation}, ${formatCounted(moved, 'key')} moved in ${entry.durationSeconds.toFixed(1)} s\n`,
  );
}
