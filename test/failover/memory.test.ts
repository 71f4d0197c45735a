/** A proxy that was started again knows who was master when it ended, and follows nobody who is older. */
import { expect, it } from 'vitest';
import { freePort } from '../support/free-port.js';
import { startRedis } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { SentinelProcess, startReplicas, until } from '../support/sentinels.js';
import { tempFolder } from '../support/temp-folder.js';

const EXPECTED = [
  /ringproxy:node:failover/,
  /ringproxy:node:master/,
  /ringproxy:upstream/,
  /node:health/,
  /node\/pair/,
];
const ENV = { RINGPROXY_PROBE_INTERVAL: '100ms', RINGPROXY_PROBE_TIMEOUT: '500ms', RINGPROXY_CONNECT_TIMEOUT: '500ms' };

function start(address: string, stateDir: string): Promise<RingproxyProcess> {
  return startRingproxy({
    ...{ nodes: [`pair=${address}`], args: ['--state-dir', stateDir], allowLog: EXPECTED, env: ENV },
  });
}

async function shown(proxy: RingproxyProcess): Promise<{ address: string | null; reason: string }> {
  const ring = (await (await fetch(`${proxy.admin}/v1/ring`)).json()) as {
    nodes: [{ master: { address: string | null }; reason: string | null }];
  };
  const [{ master, reason }] = ring.nodes;
  return { address: master.address, reason: reason ?? '' };
}

/** Waits until the master that is followed now has taken a write. */
function written(proxy: RingproxyProcess): Promise<void> {
  const client = proxy.client();
  return until(async () => (await client.set('key', 'after').catch(() => null)) === 'OK');
}

it('of a list of servers does not take a former master, until who served last is back, or is given up', async () => {
  const former = await startRedis({ args: ['--appendonly', 'yes'] });
  const [next] = await startReplicas(former, 1);
  if (next === undefined) throw new Error('there is a replica');
  const stateDir = tempFolder('state');
  const address = `${former.address},${next.address}`;
  const first = await start(address, stateDir);
  await first.client().set('key', 'before');
  await until(async () => (await next.client().get('key')) === 'before');
  await former.stop();
  await next.client().call('REPLICAOF', 'NO', 'ONE');
  await written(first);
  await first.stop();
  // Only the former one is there when the proxy is.
  next.kill('SIGSTOP');
  await former.start();
  const second = await start(address, stateDir);
  await until(async () => (await shown(second)).reason.includes(`lacks what ${next.address}`));
  await expect(second.client().get('key')).rejects.toThrow(/NODEDOWN/);
  next.kill('SIGCONT');
  await until(
    async () =>
      (await second
        .client()
        .get('key')
        .catch(() => null)) === 'after',
  );
  expect((await shown(second)).address).toBe(next.address);
});

it('with Sentinels that know an older master only does not take that, and takes one that goes on from who served last', async () => {
  const former = await startRedis();
  const [next] = await startReplicas(former, 1);
  if (next === undefined) throw new Error('there is a replica');
  const sentinel = new SentinelProcess(await freePort());
  await sentinel.start(former, 1, { downAfter: 60_000 });
  const failedOver = async (): Promise<boolean> => {
    // Not before it knows the replica.
    await sentinel
      .client()
      .call('SENTINEL', 'FAILOVER', 'cache')
      .catch(() => {});
    return (await next.client().info('replication')).includes('role:master');
  };
  const stateDir = tempFolder('state');
  const address = `sentinel://${sentinel.address}/cache`;
  const first = await start(address, stateDir);
  await first.client().set('key', 'before');
  await until(async () => (await next.client().get('key')) === 'before');
  await until(failedOver);
  await written(first);
  await until(async () => (await shown(first)).address === next.address);
  await first.stop();
  await sentinel.stop();
  // As after a restore of its file: the former master, by the first epoch. And that one is a master once more.
  next.kill('SIGSTOP');
  await former.client().call('REPLICAOF', 'NO', 'ONE');
  await former.client().set('key', 'old');
  const old = new SentinelProcess(sentinel.port);
  await old.start(former, 1, { downAfter: 60_000 });
  const second = await start(address, stateDir);
  await until(async () => (await shown(second)).reason.includes(`${next.address} was its master by the later one`));
  await expect(second.client().get('key')).rejects.toThrow(/NODEDOWN/);
  next.kill('SIGCONT');
  // Nor now, while that is a master itself.
  await until(async () => (await next.client().info('replication')).includes('role:master'));
  expect((await shown(second)).reason).toContain('was its master by the later one');
  // It says itself that it is a replica by now: what the Sentinel says is not from the past.
  await next.client().call('REPLICAOF', '127.0.0.1', String(former.port));
  await until(
    async () =>
      (await second
        .client()
        .get('key')
        .catch(() => null)) === 'old',
  );
});
