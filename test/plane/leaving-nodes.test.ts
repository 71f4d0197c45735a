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
  const setBypassing = async (): Promise<[string, number]> => {
    const before = stage.net.requests.length;
    const reply = await client.text('SET', 'k', 'v');
    return [reply, stage.net.requests.length - before];
  };
  // One that a busy machine has not answered in time has not shown where it goes.
  await expect.poll(setBypassing).toEqual(['+OK\r\n', 0]);
  relay.keep();
  const reply = client.text('GET', 'k');
  await expect.poll(() => relay.kept).toBeGreaterThan(0);
  stage.plane.publish(snapshotOf(stage.net.address, 3));
  expect(await reply).toMatch(/^-NODEDOWN node node1 \(\S+\) did not answer within 500 ms; the outcome/);
  expect(await client.text('GET', 'k')).toBe('$1\r\nv\r\n');
});
