import { createLogUpdate } from 'log-update';
import { AdminClient } from '../admin-client.js';
import { colors } from '../colors.js';
import { describeProgress } from '../follow.js';
import { formatCount, formatPercent, formatSeconds, formatTable } from '../format.js';
import { DemoServers } from './servers.js';
import { Traffic } from './traffic.js';

/** When the fourth node joins, as a part of the run, and at the latest after so many seconds. */
const JOIN_AT = 0.4;
const JOIN_AFTER_SECONDS = 8;
const VIEW_INTERVAL_MS = 1000;
const POLL_MS = 50;
const NEW_NODE = 'node4';

/** @param options.seconds when it ends by itself; otherwise at Ctrl-C */
export async function runDemo(options: { readonly seconds?: number }): Promise<void> {
  const servers = new DemoServers();
  const stopped = untilStopped(options.seconds);
  try {
    const nodes = await Promise.all(['node1', 'node2', 'node3'].map((name) => servers.startNode(name)));
    const proxy = await servers.startProxy(nodes);
    const admin = new AdminClient({ admin: proxy.admin });
    const traffic = new Traffic(proxy.port);
    const address = `redis-cli -p ${proxy.port}      ${proxy.admin}`;
    process.stdout.write(`proxy in front of ${nodes.map((node) => node.name).join(', ')}; try it: ${address}\n\n`);
    traffic.start();
    const view = new DemoView(admin, traffic);
    view.start();
    const joinAfter = Math.min((options.seconds ?? Number.POSITIVE_INFINITY) * JOIN_AT, JOIN_AFTER_SECONDS);
    let joined: Promise<void> = Promise.resolve();
    let ending = false;
    const join = setTimeout(() => {
      joined = addNode(servers, admin, view).catch((error: unknown) => {
        // At the end the proxy goes from under it.
        if (ending) return;
        view.note(`adding ${NEW_NODE} failed: ${error instanceof Error ? error.message : String(error)}`);
        process.exitCode = 1;
      });
    }, joinAfter * 1000);
    // At its own end it sees the change through; whoever stops it does not want to wait.
    if ((await stopped) === 'time') await joined;
    ending = true;
    clearTimeout(join);
    await traffic.stop();
    await view.stop();
    const { commands, misses, lost, errors } = traffic.counts;
    process.stdout.write(
      `\n${formatCount(commands)} commands, ${errors} errors, ${misses} misses, ${lost} acknowledged writes lost\n`,
    );
    if (lost > 0 || misses > 0 || errors > 0) process.exitCode = 1;
  } finally {
    await servers.stop();
  }
}

/** The fourth node joins, and is followed until it has its keys. */
async function addNode(servers: DemoServers, admin: AdminClient, view: DemoView): Promise<void> {
  const node = await servers.startNode(NEW_NODE);
  await admin.change({ kind: 'add', add: [{ name: node.name, address: `127.0.0.1:${node.port}` }] });
  view.note(`${NEW_NODE} joins: its keys move to it while the traffic goes on`);
  for (let change = await admin.current(); change !== null; change = await admin.current()) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const entry = (await admin.history()).at(-1);
  if (entry === undefined) return;
  view.note(
    `${NEW_NODE} has joined: generation ${entry.generation}, ${formatCount(entry.keysMoved)} keys moved in ${entry.durationSeconds.toFixed(1)} s`,
  );
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

/** What is seen while the demo runs: redrawn on a terminal, a line a second elsewhere. */
class DemoView {
  readonly #admin: AdminClient;
  readonly #traffic: Traffic;
  readonly #draw = createLogUpdate(process.stdout);
  #timer: NodeJS.Timeout | null = null;
  #showing: Promise<void> = Promise.resolve();
  #seenCommands = 0;
  #seenAt = performance.now();
  #note = '';

  constructor(admin: AdminClient, traffic: Traffic) {
    this.#admin = admin;
    this.#traffic = traffic;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#showing = this.#show().catch((error: unknown) => {
        this.note(error instanceof Error ? error.message : String(error));
        if (this.#timer !== null) this.start();
      });
    }, VIEW_INTERVAL_MS);
  }

  note(text: string): void {
    // The last line is the outcome.
    if (this.#timer === null) return;
    this.#note = text;
    if (!process.stdout.isTTY) process.stdout.write(`${text}\n`);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#showing;
    if (process.stdout.isTTY) this.#draw.done();
  }

  async #show(): Promise<void> {
    const [ring, stats] = await Promise.all([this.#admin.ring(), this.#admin.stats()]);
    const now = performance.now();
    const { commands, misses, lost } = this.#traffic.counts;
    const rate = ((commands - this.#seenCommands) / (now - this.#seenAt)) * 1000;
    this.#seenCommands = commands;
    this.#seenAt = now;
    const get = stats.commandStats.find((row) => row.command === 'get');
    const line = [
      `${formatCount(Math.round(rate))} commands/s`,
      `p50 ${formatSeconds(get?.p50 ?? null)}, p99 ${formatSeconds(get?.p99 ?? null)}`,
      misses === 0 ? colors.green('0 misses') : colors.red(`${formatCount(misses)} misses`),
      lost === 0 ? colors.green('0 lost writes') : colors.red(`${lost} lost writes`),
      ...(ring.change === null ? [] : [describeProgress(ring.change)]),
    ].join('  ');
    if (process.stdout.isTTY) {
      const nodes = formatTable(
        ['NODE', 'ADDRESS', 'STATE', 'SHARE', 'KEYS', ''],
        ring.nodes.map((node) => [
          node.name,
          node.address,
          node.state,
          formatPercent(node.share),
          formatCount(node.keys),
          colors.cyan('█'.repeat(Math.round(node.share * 40))),
        ]),
      );
      this.#draw(`${nodes}\n\n${line}\n${this.#note === '' ? '' : colors.yellow(this.#note)}\n`);
    } else {
      const shares = ring.nodes.map((node) => `${node.name} ${formatPercent(node.share)}`).join(', ');
      process.stdout.write(`${line}  [${shares}]\n`);
    }
    if (this.#timer !== null) this.start();
  }
}
