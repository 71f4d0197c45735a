/** What happens in the demo while its traffic runs. */

import type { ChangeView, HistoryEntry } from '../../src/admin/api.js';
import { formatCounted } from '../format.js';
import type { DemoProxies } from './demo-proxies.js';
import type { DemoServers } from './servers.js';
import type { Traffic } from './traffic.js';

export interface Stage {
  readonly servers: DemoServers;
  readonly proxies: DemoProxies;
  readonly traffic: Traffic;
  /** Says what happens. */
  note(text: string): void;
  /** Settles after so many milliseconds, or when the demo ends. */
  pause(milliseconds: number): Promise<void>;
}

const NEW_NODE = 'node4';
const OLD_NODE = 'node1';
/** Keys a second: the move takes some seconds, so that a proxy can be killed in the middle of it. */
const THROTTLE = 1500;
/** Percent of the move after which a proxy is killed. */
const KILL_AT = 20;
const POLL_MS = 50;
/** What takes longer does not come about any more. */
const PATIENCE_MS = 90_000;
/** Time to look at it. */
const LOOK_MS = 1000;

/** One proxy: a fourth node joins, and is followed until it has its keys. */
export async function nodeJoins(stage: Stage): Promise<void> {
  await begin(stage, 0);
  await untilDone(stage);
}

/** Several: while a node joins the proxy that decides about the ring is killed; another takes its place, a node leaves. */
export async function proxyDies(stage: Stage): Promise<void> {
  const { proxies, traffic, note, pause } = stage;
  await begin(stage, THROTTLE);
  const moving = ({ percent }: ChangeView): boolean => percent < KILL_AT;
  for (let change = await current(stage); change !== null && moving(change); change = await current(stage)) {
    await pause(POLL_MS);
  }
  const killed = await proxies.coordinator();
  await proxies.kill(killed);
  note(`proxy ${killed.id} is killed, which coordinated that: its clients go to the others, which go on with the move`);
  await untilDone(stage);
  await pause(LOOK_MS);
  const added = await proxies.add();
  traffic.use(proxies.ports);
  note(`proxy ${added.id} joins and learns the ring; clients use it, too`);
  await pause(LOOK_MS);
  // Nobody waits for the killed one any more once its lease has run out.
  await until(stage, async () => (await proxies.admin.proxies()).every(({ id, alive }) => id !== killed.id || !alive));
  await proxies.admin.change({ kind: 'remove', remove: [OLD_NODE] });
  note(`${OLD_NODE} leaves: the nodes drop what is left of the killed proxy, and its keys move to the others`);
  await untilDone(stage);
}

async function begin({ servers, proxies, note }: Stage, throttle: number): Promise<void> {
  const node = await servers.startNode(NEW_NODE);
  const add = [{ name: node.name, address: `127.0.0.1:${node.port}` }];
  await proxies.admin.change({ kind: 'add', add, throttle });
  note(`${NEW_NODE} joins: its keys move to it while the traffic goes on`);
}

function current({ proxies }: Stage): Promise<ChangeView | null> {
  return proxies.admin.current();
}

async function untilDone(stage: Stage): Promise<void> {
  await until(stage, async () => (await current(stage)) === null);
  // It is over a moment before it is in the history.
  const generation = (await stage.proxies.admin.ring()).generation;
  let entry: HistoryEntry | undefined;
  await until(stage, async () => {
    entry = (await stage.proxies.admin.history()).find((found) => found.generation === generation);
    return entry !== undefined;
  });
  if (entry === undefined) return;
  const { summary, keysMoved, durationSeconds } = entry;
  stage.note(
    `done: ${summary}; generation ${generation}, ${formatCounted(keysMoved, 'key')} moved in ${durationSeconds.toFixed(1)} s`,
  );
}

async function until({ pause }: Stage, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`it has not come about within ${PATIENCE_MS / 1000} s`);
    await pause(POLL_MS);
  }
}
