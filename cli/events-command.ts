import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { AdminClient } from '../src/client/admin-client.js';
import { UnreachableError } from '../src/client/admin-error.js';
import type { ProxyEvent } from '../src/client/event-stream.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { describeEvent } from './events-view.js';

interface EventsOptions extends CommonOptions {
  readonly channel: readonly string[];
  readonly recent?: boolean;
}

const RETRY_MS = 500;

/** `ringproxy events` */
export function registerEventsCommand(program: Command): void {
  withCommonOptions(
    program
      .command('events')
      .description('what happens at the proxy and what it decides, until Ctrl-C, also when it starts anew meanwhile')
      .option('--channel <name>', 'of this channel, such as command:failed; as often as you like', collect, [])
      .option('--recent', 'begin with the last hundred events'),
  ).action((options: EventsOptions) => events(options));
}

/** What all channels' names begin with may be left out. */
function collect(name: string, before: readonly string[]): readonly string[] {
  return [...before, name.startsWith('ringproxy:') ? name : `ringproxy:${name}`];
}

async function events(options: EventsOptions): Promise<void> {
  // Ctrl-C is how one ends it: no failure.
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    await follow(new AdminClient(options), options, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

/** @throws CliError when the proxy cannot be reached at first, or refuses; whatever when `signal` ends it */
async function follow(client: AdminClient, options: EventsOptions, signal: AbortSignal): Promise<void> {
  const show = (event: ProxyEvent): void => {
    process.stdout.write(`${options.json === true ? JSON.stringify(event) : describeEvent(event)}\n`);
  };
  const say = (text: string): void => {
    process.stderr.write(`ringproxy: ${text}\n`);
  };
  const ask = { channels: options.channel, signal };
  let stream = await client.events({ ...ask, recent: options.recent === true });
  /** When the last one happened that was shown. */
  let last = '';
  for (;;) {
    const shown = last;
    try {
      for await (const event of stream) {
        // What happened lately comes once more with a new connection.
        if (event.at <= shown) continue;
        show(event);
        if (event.at > last) last = event.at;
      }
    } catch (error) {
      // Cut in the middle: a proxy that was killed.
      if (!(error instanceof UnreachableError)) throw error;
    }
    signal.throwIfAborted();
    say('the proxy has ended the connection; waiting for it');
    stream = await again(() => client.events({ ...ask, recent: last !== '' }), signal);
    say('the proxy answers again');
  }
}

/** Tries until there is an answer. */
async function again<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    await delay(RETRY_MS, undefined, { signal });
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
    }
  }
}
