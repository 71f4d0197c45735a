/** Keys without hash tags are placed by the ring's patterns: scripts over several of them run, also while nodes come and go. */
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { add, fill, ownersOf, post, ringOf, settled } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const QUEUES = 40;
const JOBS = 20;
const PATTERNS = ['bull:{*}:', '{resque:}'];
const kinds = ['wait', 'active', 'done'];
const keysOf = (queue: number): string[] => kinds.map((kind) => `bull:q${queue}:${kind}`);

/** Takes an element from one list and puts it into another one, with its number behind it, in a script. */
const MOVE =
  "local e = redis.call('LPOP', KEYS[1]) if e then redis.call('RPUSH', KEYS[2], e) redis.call('INCR', KEYS[3]) end return e";

async function start(patterns: readonly string[], nodes: readonly object[], folder: string): Promise<RingproxyProcess> {
  return startRingproxy({
    config: JSON.stringify({ ring: { 'hash-tags': patterns }, workers: 2, 'state-dir': folder }),
    nodes: nodes as readonly { address: string }[],
    allowLog: [/the ring that exists wins over the configuration: /],
  });
}

it('nothing is lost or refused while a node joins and another one leaves', { timeout: 120_000 }, async () => {
  const nodes = await startRedises(4);
  const folder = tempFolder('state');
  const proxy = await start(PATTERNS, nodes.slice(0, 3), folder);
  const client = proxy.client();
  await fill(proxy, 6000);
  for (let queue = 0; queue < QUEUES; queue++) {
    const [wait = ''] = keysOf(queue);
    await client.rpush(wait, ...Array.from({ length: JOBS }, (_, job) => `${queue}-${job}`));
  }
  const steps = { done: false, moved: 0 };
  const move = async (offset: number): Promise<void> => {
    const own = await RawClient.connect(proxy.port);
    for (let i = offset; !steps.done; i += 3, steps.moved++) {
      const [one = '', other = '', count = ''] = keysOf(i % QUEUES);
      const from = i % 2 === 0 ? [one, other] : [other, one];
      expect(await own.text('EVAL', MOVE, '3', ...from, count)).toMatch(/^\$/);
      expect(
        await own.text('EVAL', 'return redis.call("MSET", KEYS[1], 1, KEYS[2], 2)', '2', 'resque:a', `resque:${i}`),
      ).toBe('+OK\r\n');
    }
  };
  const movers = [0, 1, 2].map(move);
  await post(proxy, 'changes', add('node4', nodes[3]));
  await settled(proxy);
  await post(proxy, 'changes', { kind: 'remove', remove: ['node1'] });
  await settled(proxy);
  steps.done = true;
  await Promise.all(movers);

  expect(steps.moved).toBeGreaterThan(10);
  const places = new Set<string>();
  for (let queue = 0; queue < QUEUES; queue++) {
    const [one = '', other = ''] = keysOf(queue);
    const elements = [...(await client.lrange(one, 0, -1)), ...(await client.lrange(other, 0, -1))];
    expect(elements.sort()).toEqual(Array.from({ length: JOBS }, (_, job) => `${queue}-${job}`).sort());
    const owners = new Set(await ownersOf(proxy, [...keysOf(queue), `{q${queue}}`]));
    expect(owners.size).toBe(1);
    for (const owner of owners) places.add(owner);
  }
  // By queue they are spread, and all of Resque's are on one.
  expect(places.size).toBe(3);
  const resque = await client.keys('resque:*');
  expect(new Set(await ownersOf(proxy, [...resque, '{resque:}'])).size).toBe(1);
  expect(await client.dbsize()).toBe(6000 + resque.length + (await client.keys('bull:*')).length);
  // Every key is at its owner, and nowhere else.
  for (const node of nodes.slice(1)) {
    const held = await node.client().keys('*');
    expect(new Set(await ownersOf(proxy, held))).toEqual(new Set([node.address]));
  }
  expect(await nodes[0]?.client().dbsize()).toBe(0);

  // The ring that is kept wins over a configuration that says otherwise.
  await proxy.child.stop();
  const again = await start([], nodes.slice(1), folder);
  expect((await ringOf(again)).hashTags).toEqual(PATTERNS);
  expect(await again.client().lrange('bull:q1:wait', 0, -1)).not.toEqual([]);

  // SORT's patterns match, but an element may bring a hash tag with it: what they name is looked for where it is.
  const elements = ['1', '2', '{x}', '{y}', '{z}'];
  const other = again.client();
  await other.rpush('bull:q:list', ...elements);
  await Promise.all(elements.map((element, i) => other.set(`bull:q:weight-${element}`, 9 - i)));
  const sorted = await other.sort('bull:q:list', 'BY', 'bull:q:weight-*', 'GET', '#', 'GET', 'bull:q:weight-*');
  expect(sorted).toEqual(['{z}', '5', '{y}', '6', '{x}', '7', '2', '8', '1', '9']);
});
