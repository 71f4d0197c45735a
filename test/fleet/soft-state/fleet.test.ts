/** What clients see of the soft state: real proxies, with one worker and with two. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Fleet, type FleetProxy, startFleet, TROUBLE } from '../../support/fleet.js';
import { RawClient } from '../../support/raw-client.js';

const PATIENCE_MS = 15_000;

async function eventually(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function proxyOf(fleet: Fleet, index: number): FleetProxy {
  const proxy = fleet.proxies[index];
  if (proxy === undefined) throw new Error(`there is no proxy ${index}`);
  return proxy;
}

const clientOf = (fleet: Fleet, index: number): Promise<RawClient> => RawClient.connect(proxyOf(fleet, index).port);

const digestOf = (body: string): string => createHash('sha1').update(body).digest('hex');

describe.each([1, 2])('over three proxies with %i workers each', (workers) => {
  it('clients are counted, scripts are found, and each proxy knows the load of the others', async () => {
    const fleet = await startFleet({ proxies: 3, nodes: 2, workers, allowLog: TROUBLE });
    const publisher = await clientOf(fleet, 0);

    // Five at the second proxy, four at the third, one at the first; three by a pattern at the third.
    const at = [0, 1, 1, 1, 1, 1, 2, 2, 2, 2];
    const subscribers = await Promise.all(at.map((index) => clientOf(fleet, index)));
    for (const client of subscribers) await client.command('SUBSCRIBE', 'news');
    const byPattern = await Promise.all([2, 2, 2].map((index) => clientOf(fleet, index)));
    for (const client of byPattern) await client.command('PSUBSCRIBE', 'n?ws');
    await eventually('all are counted', async () => (await publisher.text('PUBLISH', 'news', 'x')) === ':13\r\n');
    expect(await publisher.text('PUBSUB', 'NUMSUB', 'news', 'other')).toBe(
      '*4\r\n$4\r\nnews\r\n:10\r\n$5\r\nother\r\n:0\r\n',
    );
    expect(await publisher.text('PUBSUB', 'NUMPAT')).toBe(':1\r\n');
    expect(await publisher.text('PUBLISH', 'other', 'x')).toBe(':0\r\n');
    for (const client of subscribers.slice(1)) client.close();
    for (const client of byPattern) client.close();
    await eventually('one is left', async () => (await publisher.text('PUBLISH', 'news', 'x')) === ':1\r\n');

    // EVAL at the first proxy runs on one node only.
    const [own, other] = [await clientOf(fleet, 0), await clientOf(fleet, 1)];
    const body = 'return {KEYS[1], ARGV[1]}';
    await own.command('EVAL', body, '1', 'some key', 'x');
    await eventually('the script is known', async () => {
      return (await other.text('SCRIPT', 'EXISTS', digestOf(body))) === '*1\r\n:1\r\n';
    });
    const second = 'return ARGV[1]';
    expect(await own.text('EVAL', second, '1', 'k0', 'y')).toBe('$1\r\ny\r\n');
    // The node that has run it knows it at once, the others from the second proxy.
    await eventually('any node runs it', async () => {
      const calls = Array.from({ length: 20 }, (_, i) => ['EVALSHA', digestOf(second), '1', `k${i}`, 'z']);
      return (await other.pipeline(calls)).every((reply) => reply.toString() === '$1\r\nz\r\n');
    });
    await own.command('SCRIPT', 'FLUSH');
    // A call by one that has not heard yet would load it again: so what was told behind it is waited for.
    const marked = [await clientOf(fleet, 0), await clientOf(fleet, 0)];
    for (const client of marked) await client.command('SUBSCRIBE', 'marker');
    const counted = workers === 1 ? ':2\r\n' : ':3\r\n';
    if (workers > 1) await (await clientOf(fleet, 0)).command('SUBSCRIBE', 'marker');
    await eventually('it is heard', async () => (await other.text('PUBLISH', 'marker', 'x')) === counted);
    expect(await other.text('EVALSHA', digestOf(second), '1', 'k1', 'z')).toMatch(/^-NOSCRIPT/);
    expect(await other.text('SCRIPT', 'EXISTS', digestOf(body))).toBe('*1\r\n:0\r\n');

    await fleet.everyone('the load of all', ({ proxies }) => proxies.every(({ load }) => load !== null));
  });
});

it('each proxy tells which nodes are down for it', async () => {
  const fleet = await startFleet({ proxies: 2, nodes: 2, allowLog: TROUBLE });
  const ids = await Promise.all(fleet.proxies.map((proxy) => proxy.id()));
  await fleet.nodes[1]?.kill('SIGKILL');
  await fleet.everyone('it is down for both', ({ nodes }) =>
    nodes.some(({ name, downFor }) => name === 'node2' && ids.every((id) => downFor.includes(id))),
  );
  await fleet.proxies[1]?.kill();
  const [first] = ids;
  // What a dead one has said stands until it is out of the fleet.
  await fleet.everyone('it is down for the one that is left', ({ nodes }) =>
    nodes.some(({ name, downFor }) => name === 'node2' && downFor.includes(first ?? '')),
  );
});
