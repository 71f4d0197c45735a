/** What is seen while the demo runs: redrawn on a terminal, a line a second elsewhere. */
import { createLogUpdate } from 'log-update';
import type { RingView } from '../../src/admin/api.js';
import { colors } from '../colors.js';
import { describeProgress } from '../follow.js';
import { formatCount, formatPercent, formatSeconds, formatTable, numbers } from '../format.js';
import type { DemoProxies } from './demo-proxies.js';
import type { Traffic } from './traffic.js';

const VIEW_INTERVAL_MS = 1000;
/** Notes that stay on the screen. */
const NOTES = 5;

export class DemoView {
  readonly #proxies: DemoProxies;
  readonly #traffic: Traffic;
  readonly #draw = createLogUpdate(process.stdout);
  #timer: NodeJS.Timeout | null = null;
  #showing: Promise<void> = Promise.resolve();
  #seenAt = performance.now();
  /** Commands that had been answered when it was shown last, in all and by proxy. */
  #seenCommands = 0;
  readonly #seenOf = new Map<number, number>();
  #notes: readonly string[] = [];

  constructor(proxies: DemoProxies, traffic: Traffic) {
    this.#proxies = proxies;
    this.#traffic = traffic;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#showing = this.#show()
        // A proxy was killed under it.
        .catch(() => {})
        .finally(() => {
          if (this.#timer !== null) this.start();
        });
    }, VIEW_INTERVAL_MS);
  }

  readonly note = (text: string): void => {
    // The last line is the outcome.
    if (this.#timer === null) return;
    this.#notes = [...this.#notes, text].slice(-NOTES);
    if (!process.stdout.isTTY) process.stdout.write(`${text}\n`);
  };

  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#showing;
    if (process.stdout.isTTY) this.#draw.done();
  }

  async #show(): Promise<void> {
    const { admin, running } = this.#proxies;
    const [ring, stats] = await Promise.all([admin.ring(), admin.stats()]);
    const now = performance.now();
    const seconds = (now - this.#seenAt) / 1000;
    this.#seenAt = now;
    const { commands, misses, lost } = this.#traffic.counts;
    const rate = (commands - this.#seenCommands) / seconds;
    this.#seenCommands = commands;
    const rates = running.map(({ port }) => this.#rateOf(port, seconds));
    const get = stats.commandStats.find((row) => row.command === 'get');
    const line = [
      `${formatCount(Math.round(rate))} commands/s`,
      `p50 ${formatSeconds(get?.p50 ?? null)}, p99 ${formatSeconds(get?.p99 ?? null)}`,
      misses === 0 ? colors.green('0 misses') : colors.red(`${formatCount(misses)} misses`),
      lost === 0 ? colors.green('0 lost writes') : colors.red(`${lost} lost writes`),
      ...(ring.change === null ? [] : [describeProgress(ring.change)]),
    ].join('  ');
    if (process.stdout.isTTY) {
      const fleet = ring.coordination.kind === 'none' ? [] : [this.#proxiesOf(ring, rates), ''];
      const notes = this.#notes.map((note) => colors.yellow(note));
      this.#draw([nodesOf(ring), '', ...fleet, line, ...notes, ''].join('\n'));
    } else {
      const shares = ring.nodes.map((node) => `${node.name} ${formatPercent(node.share)}`).join(', ');
      const each = rates.length === 1 ? '' : `  ${rates.length} proxies: ${rates.map(formatCount).join(' + ')}`;
      process.stdout.write(`${line}  [${shares}]${each}\n`);
    }
  }

  #rateOf(port: number, seconds: number): number {
    const commands = this.#traffic.commandsOf(port);
    const rate = Math.round((commands - (this.#seenOf.get(port) ?? 0)) / seconds);
    this.#seenOf.set(port, commands);
    return rate;
  }

  #proxiesOf(ring: RingView, rates: readonly number[]): string {
    const { running } = this.#proxies;
    return formatTable(
      ['PROXY', 'CLIENTS AT', 'ALIVE', numbers('COMMANDS/S'), 'JOBS'],
      ring.proxies.map(({ id, alive, coordinator, jobs }) => {
        const index = running.findIndex((proxy) => proxy.id === id);
        return [
          id,
          index === -1 ? '-' : `127.0.0.1:${running[index]?.port}`,
          index === -1 ? colors.red('killed') : alive ? 'yes' : colors.red('no'),
          formatCount(rates[index] ?? 0),
          [...(coordinator ? ['coordinator'] : []), ...jobs].join(', '),
        ];
      }),
    );
  }
}

function nodesOf(ring: RingView): string {
  return formatTable(
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
}
