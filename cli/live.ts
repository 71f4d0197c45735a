/** Samples of a running proxy, one after the other until Ctrl-C or `q`: on the whole terminal, or one below the other. */
import { AdminError } from '../src/client/admin-error.js';
import { readKeys } from './keys.js';
import { Screen } from './screen.js';

export interface LiveOptions<Sample> {
  read(): Promise<Sample>;
  /** @param trouble why the sample is not newer */
  lines(sample: Sample, options: { readonly width?: number; readonly trouble?: string }): readonly string[];
  /** A line of JSON for each sample, instead of what people read. */
  readonly json: boolean;
  /** Undefined: until Ctrl-C where that is of use, otherwise one. */
  readonly count: number | undefined;
  /** Seconds. */
  readonly interval: number;
  toJson(sample: Sample): object;
}

/** @param first the sample to begin with */
export async function runLive<Sample>(first: Sample, options: LiveOptions<Sample>): Promise<void> {
  const onScreen = !options.json && process.stdout.isTTY === true && process.env.TERM !== 'dumb';
  const count = options.count ?? (onScreen || options.json ? Number.POSITIVE_INFINITY : 1);
  const stop = untilStopped();
  const keys = onScreen ? readKeys(stop.now) : null;
  try {
    await (onScreen ? show : print)(first, { ...options, count, stop });
  } finally {
    keys?.close();
    stop.forget();
  }
}

interface Run<Sample> extends LiveOptions<Sample> {
  readonly count: number;
  readonly stop: Stop;
}

/** A sample below the other, for programs and files. */
async function print<Sample>(first: Sample, run: Run<Sample>): Promise<void> {
  let sample = first;
  for (let shown = 1; ; shown++) {
    const text = run.json ? JSON.stringify(run.toJson(sample)) : run.lines(sample, {}).join('\n');
    process.stdout.write(`${text}\n`);
    if (shown >= run.count || (await run.stop.within(run.interval * 1000))) return;
    sample = await run.read();
  }
}

/** On the whole terminal; the last sample stays behind. */
async function show<Sample>(first: Sample, run: Run<Sample>): Promise<void> {
  let sample = first;
  let trouble: string | undefined;
  const screen = new Screen(process.stdout, () => draw());
  const lines = (): readonly string[] =>
    run.lines(sample, { width: screen.columns, ...(trouble === undefined ? {} : { trouble }) });
  const draw = (): void => screen.draw(cutTo(screen.rows, lines()));
  screen.open();
  try {
    for (let shown = 1; ; shown++) {
      draw();
      if (shown >= run.count || (await run.stop.within(run.interval * 1000))) break;
      try {
        sample = await run.read();
        trouble = undefined;
      } catch (error) {
        // A person who looks on wants to see the proxy come back; a program wants to know.
        if (!(error instanceof AdminError)) throw error;
        trouble = error.message;
      }
    }
  } finally {
    screen.close();
  }
  process.stdout.write(`${lines().join('\n')}\n`);
}

/** Says so where lines do not fit. */
function cutTo(rows: number, lines: readonly string[]): readonly string[] {
  if (lines.length <= rows) return lines;
  return [...lines.slice(0, rows - 1), `… and ${lines.length - rows + 1} lines more: the terminal is too low`];
}

interface Stop {
  /** Ends it. */
  readonly now: () => void;
  /** @returns whether it came within that time */
  within(milliseconds: number): Promise<boolean>;
  forget(): void;
}

/** Ctrl-C is how one ends it: no failure. */
function untilStopped(): Stop {
  let stopped = false;
  let wake = (): void => {};
  const onSignal = (): void => {
    stopped = true;
    wake();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    now: onSignal,
    within: (milliseconds) =>
      new Promise((resolve) => {
        if (stopped) return resolve(true);
        const timer = setTimeout(() => resolve(false), milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      }),
    forget: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
