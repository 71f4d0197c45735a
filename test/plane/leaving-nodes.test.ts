/** Nodes that have left the ring, and owe answers yet. */
import { expect, it } from 'vitest';
import { startGatedRelay } from '../support/gated-relay.js';
import { snapshotOf, stagePlane } from './stage.js';

// Symptom: a client waited for ever. Cause: only nodes of the ring were looked at for answers that are late.
it.each([1, 2])('one that stalls holds nobody up for longer than request-timeout (%i workers)', async (workers) => {
  const stage = await stagePlane({ requestTimeout: 500, nodeConnections: 1 }, workers);
  const client = await stage.client();
  const relay = await startGatedRelay(stage.redis.port);
  stage.plane.publish(snapshotOf(relay.address, 2));
  // A worker hears of it by and by.
  const bypassing = async (): Promise<number> => {
    const before = stage.net.requests.length;
    await client.command('SET', 'k', 'v');
    return stage.net.requests.length - before;
  };
  await expect.poll(bypassing).toBe(0);
  relay.keep();
  const reply = client.text('GET', 'k');
  await expect.poll(() => relay.kept).toBeGreaterThan(0);
  stage.plane.publish(snapshotOf(stage.net.address, 3));
  expect(await reply).toMatch(/^-NODEDOWN node node1 \(\S+\) did not answer within 500 ms; the outcome/);
  expect(await client.text('GET', 'k')).toBe('$1\r\nv\r\n');
});
