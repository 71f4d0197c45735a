import { messageOf } from '../../src/errors.js';
import { formatCounted } from '../format.js';
import { DemoProxies } from './demo-proxies.js';
import { DemoView } from './demo-view.js';
import { nodeJoins, proxyDies } from './scenario.js';
import { DemoServers } from './servers.js';
import { Traffic } from './traffic.js';

export interface DemoOptions {
  /** When it ends by itself; otherwise at Ctrl-C. */
  readonly seconds?: number | undefined;
  readonly proxies: number;
}

/** When it begins to happen, as a part of the run, and at the latest after so many seconds. */
const BEGINS_AT = { alone: 0.4, fleet: 0.2 };
const BEGINS_AFTER_SECONDS = 8;

export async function runDemo(options: DemoOptions): Promise<void> {
  const servers = new DemoServers();
  const stopped = untilStopped(options.seconds);
  try {
    const nodes = await Promise.all(['node1', 'node2', 'node3'].map((name) => servers.startNode(name)));
    const proxies = await DemoProxies.start(servers, nodes, options.proxies);
    const isFleet = options.proxies > 1;
    const traffic = new Traffic(proxies.ports);
    const names = nodes.map((node) => node.name).join(', ');
    const who = isFleet ? `${options.proxies} proxies` : 'proxy';
    const addresses = proxies.running.map(({ port, admin }) => `redis-cli -p ${port}      ${admin}`);
    const list = isFleet ? addresses.map((address) => `\n  ${address}`).join('') : ` ${addresses[0]}`;
    process.stdout.write(`${who} in front of ${names}; try it:${list}\n\n`);
    traffic.start();
    const view = new DemoView(proxies, traffic);
    view.start();
    const part = isFleet ? BEGINS_AT.fleet : BEGINS_AT.alone;
    const after = Math.min((options.seconds ?? Number.POSITIVE_INFINITY) * part, BEGINS_AFTER_SECONDS);
    let ending = false;
    const ended = new AbortController();
    const pause = (milliseconds: number): Promise<void> => pauseUntil(milliseconds, ended.signal);
    const play = async (): Promise<void> => {
      await pause(after * 1000);
      await (isFleet ? proxyDies : nodeJoins)({ servers, proxies, traffic, note: view.note, pause });
    };
    const played = play().catch((error: unknown) => {
      // At the end the proxies go from under it.
      if (ending) return;
      view.note(`that failed: ${messageOf(error)}`);
      process.exitCode = 1;
    });
    // At its own end it sees the changes through; whoever stops it does not want to wait.
    if ((await stopped) === 'time') await played;
    ending = true;
    ended.abort(new Error('the demo ends'));
    await traffic.stop();
    await view.stop();
    const { commands, misses, lost, cut, again } = traffic.counts;
    // Whoever is at the killed proxy is cut off; who waits for what it was moving may be told to try again.
    const errors = traffic.counts.errors + (isFleet ? 0 : cut + again);
    const others = isFleet ? `, ${cut} cut off with the killed proxy, ${again} told to try again` : '';
    process.stdout.write(
      `\n${formatCounted(commands, 'command')}, ${formatCounted(errors, 'error')}${others}, ${formatCounted(misses, 'miss', 'misses')}, ${formatCounted(lost, 'acknowledged write')} lost\n`,
    );
    if (errors > 0 && traffic.lastError !== '') process.stdout.write(`the last error: ${traffic.lastError}\n`);
    if (lost > 0 || misses > 0 || errors > 0) process.exitCode = 1;
  } finally {
    await servers.stop();
  }
}

/** @throws what the signal was aborted with, at once */
function pauseUntil(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason instanceof Error ? signal.reason : new Error('it was stopped'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** Waits for the end. A second signal exits at once: whoever asks twice does not want to wait. */
function untilStopped(seconds: number | undefined): Promise<'signal' | 'time'> {
  return new Promise((resolve) => {
    let signalled = false;
    const stop = (): void => {
      if (signalled) process.exit(1);
      signalled = true;
      resolve('signal');
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    if (seconds !== undefined) setTimeout(() => resolve('time'), seconds * 1000).unref();
  });
}
