/**
 * A proxy is stopped for longer than its lease while it serves clients, and the ring changes meanwhile. When it goes on it
 * knows nothing of that: what it was about to send must not reach a node.
 */
import { describe, expect, it } from 'vitest';
import { hasEtcd } from '../../support/etcd-process.js';
import { startFleet, TROUBLE } from '../../support/fleet.js';
import { RawClient } from '../../support/raw-client.js';
import { post } from '../../support/ring-api.js';

const KEYS = 200;

describe.skipIf(!hasEtcd).each([1, 2])('a proxy that was passed over while it stood still (workers: %i)', (workers) => {
  it('sends nothing by the ring of the past, and goes on as another member', { timeout: 180_000 }, async () => {
    const fleet = await startFleet({
      ...{ proxies: 2, nodes: 2, spares: 1, workers, allowLog: TROUBLE },
      config: 'member-ttl: 4s\n',
    });
    const [first, second] = fleet.proxies;
    if (first === undefined || second === undefined) throw new Error('unreachable');
    const former = await second.id();
    let isOver = false;
    /** By key, the last number that was acknowledged; deleted when the outcome of a later one is unknown. */
    const acknowledged = new Map<string, number>();
    let goingOn = 0;
    const load = Array.from({ length: 4 }, async (_, c) => {
      const client = await RawClient.connect(second.port);
      for (let n = 1; !isOver; n++) {
        const keys = Array.from({ length: KEYS }, (_key, i) => `k:${c}:${i}`);
        const replies = await client.pipeline(keys.map((key) => ['SET', key, String(n)]));
        for (const [i, reply] of replies.entries()) {
          const key = keys[i] ?? '';
          if (String(reply) === '+OK\r\n') acknowledged.set(key, n);
          else if (String(reply).includes('outcome of the command is unknown')) acknowledged.delete(key);
          else expect(String(reply)).toMatch(/^-(?:TRYAGAIN|NODEDOWN) /);
        }
        goingOn++;
      }
    });
    await expect.poll(() => goingOn).toBeGreaterThan(10);
    second.stall();
    const [spare] = fleet.spares;
    await expect
      .poll(
        () =>
          post(first, 'changes', { kind: 'add', add: [{ name: 'node3', address: fleet.addressOf(spare) }] }).then(
            () => true,
            () => false,
          ),
        { timeout: 60_000, interval: 500 },
      )
      .toBe(true);
    await fleet.everyone('the change is done', (view) => view.change === null && view.nodes.length === 3, [first]);
    // What it is about to send must not count.
    const reader = await RawClient.connect(first.port);
    for (let c = 0; c < 4; c++) {
      for (let i = 0; i < KEYS; i++) await reader.command('SET', `k:${c}:${i}`, 'of the other proxy');
    }
    second.goOn();
    await fleet.everyone('the other one is back', (view) => view.coordination.proxy !== former, [second]);
    const before = goingOn;
    await expect.poll(() => goingOn, { timeout: 30_000 }).toBeGreaterThan(before + 10);
    isOver = true;
    await Promise.all(load);
    const wrong: string[] = [];
    for (const [key, n] of acknowledged) {
      let reply = await reader.text('GET', key);
      // A busy machine may keep the other proxy from renewing its lease, too.
      while (reply.startsWith('-TRYAGAIN')) reply = await reader.text('GET', key);
      if (reply !== `$${String(n).length}\r\n${n}\r\n`) wrong.push(`${key}: ${n} was acknowledged, ${reply}`);
    }
    expect(wrong).toEqual([]);
    for (const node of [...fleet.nodes, ...fleet.spares]) {
      expect(String(await node.client().client('LIST'))).not.toContain(`name=ringproxy:${former}`);
    }
  });
});
