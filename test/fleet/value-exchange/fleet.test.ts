/** Replicated keys at real proxies, each with two workers and a host of its own in a network that is cut and healed. */
import { describe, expect, it } from 'vitest';
import { type FleetProxy, startFleet, TROUBLE } from '../../support/fleet.js';
import { canMakeNetworks } from '../../support/netns/namespace.js';
import { type Host, Network } from '../../support/netns/network.js';
import { RawClient } from '../../support/raw-client.js';

const CONFIG = 'key-groups: { flags: { prefixes: ["r:"], cache: replicated } }\n';
/** Of each side while it is cut off. */
const COUNTED = 700;
const KEYS = ['r:flag', 'r:gone', 'r:n', 'r:of1', 'r:of2', 'r:limit'];

const connect = ({ port, host }: FleetProxy): Promise<RawClient> => RawClient.connect(port, host);

/** What clients see at this proxy, of several connections: its workers have the same. */
async function seenAt(proxy: FleetProxy): Promise<string> {
  const seen = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const client = await connect(proxy);
    const [values, members, size] = await client.pipeline([['MGET', ...KEYS], ['SMEMBERS', 'r:s'], ['DBSIZE']]);
    const elements = String(members)
      .split('\r\n')
      .filter((line) => /^[a-z]/.test(line))
      .sort();
    seen.add(`${values}${elements.join()} ${size}`);
    client.close();
  }
  return [...seen].join(' or ');
}

const bulks = (...values: (string | null)[]): string =>
  `*${values.length}\r\n${values.map((value) => (value === null ? '$-1\r\n' : `$${value.length}\r\n${value}\r\n`)).join('')}`;

describe.skipIf(!canMakeNetworks())('replicated keys over proxies that are cut apart', () => {
  it('go on on both sides, merge when they meet, and are all there for who joins', async () => {
    const network = await Network.make();
    const fleet = await startFleet({
      ...{ network, proxies: 2, nodes: 1, workers: 2, config: CONFIG },
      allowLog: [...TROUBLE, /worker \d+ .* ended/],
    });
    const [one, two] = fleet.proxies as [FleetProxy, FleetProxy];
    const [first, second] = [await connect(one), await connect(two)];
    await first.pipeline([
      ['SET', 'r:flag', 'on'],
      ['SET', 'r:gone', '1'],
      ['SADD', 'r:s', 'a', 'b'],
      ['INCRBY', 'r:n', '5'],
    ]);
    const before = `${bulks('on', '1', '5', null, null, null)}a,b :4\r\n`;
    for (const proxy of [one, two]) await expect.poll(() => seenAt(proxy)).toBe(before);

    const cut = network.cut([one.place as Host], [two.place as Host]);
    const increments = Array.from({ length: COUNTED }, () => ['INCR', 'r:n']);
    await Promise.all([first.pipeline(increments), second.pipeline(increments)]);
    await first.pipeline([
      ['SET', 'r:of1', 'x'],
      ['DEL', 'r:gone'],
      ['SREM', 'r:s', 'b'],
      ['INCR', 'r:limit'],
    ]);
    await second.pipeline([
      ['SET', 'r:of2', 'y'],
      ['SADD', 'r:s', 'b', 'c'],
      ['INCR', 'r:limit'],
    ]);
    // Written later, so it counts.
    expect(await second.text('SET', 'r:flag', 'off')).toBe('+OK\r\n');
    expect(await first.text('MGET', ...KEYS)).toBe(bulks('on', null, String(5 + COUNTED), 'x', null, '1'));
    expect(await second.text('MGET', ...KEYS)).toBe(bulks('off', '1', String(5 + COUNTED), null, 'y', '1'));

    cut.heal();
    const merged = `${bulks('off', null, String(5 + 2 * COUNTED), 'x', 'y', '2')}a,b,c :6\r\n`;
    for (const proxy of [one, two]) await expect.poll(() => seenAt(proxy), { timeout: 60_000 }).toBe(merged);
    // One that joins has everything before its first client.
    const three = await fleet.join();
    expect(await seenAt(three)).toBe(merged);
    const metrics = await (
      await fetch(`${one.admin}/metrics`, { headers: { authorization: `Bearer ${one.token}` } })
    ).text();
    expect(metrics).toMatch(/^ringproxy_replicated_keys 6$/m);
  });
});
