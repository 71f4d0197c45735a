/** Tells that nodes were ejected, and that they came back, by comparing what the ring is with what it was. */
import type { OwnRingView } from '../../admin/api.js';
import { nodeKey } from '../../node/identity.js';
import { type NodeEjectionEvent, nodeEjected, nodeForgotten, nodeReturned } from '../events.js';

type Observed = Pick<OwnRingView, 'nodes' | 'change'>;

export class EjectionWatcher {
  /** Null: nothing was seen yet. */
  #ejected: Map<string, NodeEjectionEvent> | null = null;

  /** To be called whenever the ring may have changed. */
  observe({ nodes, change }: Observed): void {
    // A node that is on its way back may yet not come.
    if (change !== null) return;
    const before = this.#ejected;
    const now = new Map<string, NodeEjectionEvent>();
    for (const { name, address, ejection } of nodes) {
      if (ejection === null) continue;
      const { since, why, times } = ejection;
      const summary = `node ${name} (${address}) is ejected: ${why}`;
      now.set(nodeKey({ name, address }), { node: name, address, since, why, times, summary });
    }
    this.#ejected = now;
    if (before === null) return;
    for (const [key, event] of now) {
      if (before.get(key)?.since !== event.since && nodeEjected.hasSubscribers) nodeEjected.publish(event);
    }
    for (const [key, event] of before) {
      if (now.has(key)) continue;
      const { node, address } = event;
      const isBack = nodes.some((other) => nodeKey(other) === key);
      const channel = isBack ? nodeReturned : nodeForgotten;
      if (!channel.hasSubscribers) continue;
      const what = isBack ? 'is back in the ring' : 'is forgotten: it does not come back by itself';
      channel.publish({ ...event, summary: `node ${node} (${address}), which was ejected, ${what}` });
    }
  }
}
