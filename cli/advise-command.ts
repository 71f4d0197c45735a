/** `ringproxy advise`: which keys commands had on several nodes, and which hash tags would bring them together. */
import { type Command, InvalidArgumentError } from 'commander';
import { AdminClient } from '../src/client/admin-client.js';
import { describeAdvice } from './advise-view.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';

interface AdviseOptions extends CommonOptions {
  readonly limit: number;
  readonly thisProxy?: boolean;
}

const DEFAULT_ROWS = 20;
/** No more are kept. */
const MOST_ROWS = 256;

export function registerAdviseCommand(program: Command): void {
  withCommonOptions(
    program
      .command('advise')
      .description(
        'which keys commands had on several nodes at all proxies of the ring, and which hash tags would bring them together',
      )
      .option('--limit <rows>', `so many kinds of keys, 1 to ${MOST_ROWS}`, parseLimit, DEFAULT_ROWS)
      .option('--this-proxy', 'at the proxy that is asked, and no other one'),
  ).action((options: AdviseOptions) => advise(options));
}

async function advise({ limit, thisProxy, ...options }: AdviseOptions): Promise<void> {
  const advice = await new AdminClient(options).advice({ limit, fleet: thisProxy !== true });
  const text = options.json === true ? JSON.stringify(advice, null, 2) : describeAdvice(advice).join('\n');
  process.stdout.write(`${text}\n`);
}

function parseLimit(text: string): number {
  const rows = Number(text);
  if (/^\d+$/.test(text) && rows >= 1 && rows <= MOST_ROWS) return rows;
  throw new InvalidArgumentError(`expected 1 to ${MOST_ROWS}`);
}
