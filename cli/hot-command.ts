/** `ringproxy hot`: the keys that are used most. */
import { type Command, InvalidArgumentError } from 'commander';
import { AdminClient } from '../src/client/admin-client.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { describeHot } from './hot-view.js';
import { runLive } from './live.js';

interface HotOptions extends CommonOptions {
  readonly watch?: boolean;
  readonly limit: number;
  readonly thisProxy?: boolean;
}

const INTERVAL_SECONDS = 2;
const DEFAULT_KEYS = 20;
/** No more are listed. */
const MOST_KEYS = 256;

export function registerHotCommand(program: Command): void {
  withCommonOptions(
    program
      .command('hot')
      .description('the keys that are used most, as all proxies of the ring have seen it within the last minute')
      .option('--watch', 'again every two seconds, until Ctrl-C')
      .option('--limit <keys>', `so many keys, 1 to ${MOST_KEYS}`, parseLimit, DEFAULT_KEYS)
      .option('--this-proxy', 'as the proxy has seen it that is asked, and no other one'),
  ).action((options: HotOptions) => hot(options));
}

async function hot({ watch, limit, thisProxy, ...options }: HotOptions): Promise<void> {
  const client = new AdminClient(options);
  const read = () => client.hot({ limit, fleet: thisProxy !== true });
  const json = options.json === true;
  const first = await read();
  if (watch !== true) {
    process.stdout.write(`${json ? JSON.stringify(first, null, 2) : describeHot(first, {}).join('\n')}\n`);
    return;
  }
  const count = Number.POSITIVE_INFINITY;
  await runLive(first, { read, lines: describeHot, json, count, interval: INTERVAL_SECONDS, toJson: (view) => view });
}

function parseLimit(text: string): number {
  const keys = Number(text);
  if (/^\d+$/.test(text) && keys >= 1 && keys <= MOST_KEYS) return keys;
  throw new InvalidArgumentError(`expected 1 to ${MOST_KEYS}`);
}
