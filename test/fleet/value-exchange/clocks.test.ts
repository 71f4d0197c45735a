/** Replicated keys at real proxies of two workers each, one of which has a clock that is an hour ahead and goes back. */
import { expect, it } from 'vitest';
import { type FleetProxy, startFleet, TROUBLE } from '../../support/fleet.js';
import { canJump } from '../../support/jumping-clock.js';
import { RawClient } from '../../support/raw-client.js';

const CONFIG = 'key-groups: { flags: { prefixes: ["r:"], cache: replicated } }\n';
const CLIENTS = 4;

it.skipIf(!canJump)('a clock that goes back by an hour parts the proxies for seconds only', async () => {
  const fleet = await startFleet({
    ...{ proxies: 2, nodes: 1, workers: 2, clocks: true, config: CONFIG },
    allowLog: [...TROUBLE, /clock was \d+ s ahead/],
  });
  const [wrong, right] = fleet.proxies as [FleetProxy, FleetProxy];
  // Of each worker.
  const clientsOf = ({ port, host }: FleetProxy): Promise<RawClient[]> =>
    Promise.all(Array.from({ length: CLIENTS }, () => RawClient.connect(port, host)));
  const all = new Map([
    [wrong, await clientsOf(wrong)],
    [right, await clientsOf(right)],
  ]);
  const inEach = async (proxy: FleetProxy, ...words: string[]): Promise<Set<string>> =>
    new Set(await Promise.all((all.get(proxy) ?? []).map((client) => client.text(...words))));
  const KEYS = ['r:n', 'r:own', 'r:theirs', 'r:since', 'r:both'];
  const seen = async (): Promise<string> => {
    const replies = await Promise.all(fleet.proxies.map((proxy) => inEach(proxy, 'MGET', ...KEYS)));
    return [...new Set(replies.flatMap((texts) => [...texts]))].join(' or ').replaceAll(/\r\n|\$\d+|\*\d+/g, ' ');
  };
  wrong.clock?.jump(3600);
  await inEach(wrong, 'INCR', 'r:n');
  await inEach(wrong, 'SET', 'r:own', 'first');
  await inEach(wrong, 'SET', 'r:own', 'second');
  await inEach(right, 'SET', 'r:theirs', 'x');
  await inEach(right, 'INCR', 'r:n');
  wrong.clock?.jump(0);
  await inEach(wrong, 'INCR', 'r:n');
  await inEach(wrong, 'SET', 'r:since', 'x');
  const wanted = (both: string): RegExp => new RegExp(`^\\s*${3 * CLIENTS}\\s+second\\s+x\\s+x\\s+${both}\\s*$`);
  await expect.poll(seen, { timeout: 40_000 }).toMatch(wanted('\\$-1'));
  // Of two writes the later one counts again, wherever it was made.
  const [first] = all.get(wrong) ?? [];
  const [second] = all.get(right) ?? [];
  for (const [i, client] of [first, second, first, second].entries()) {
    await client?.command('SET', 'r:both', `v${i}`);
    await expect.poll(seen, { timeout: 40_000 }).toMatch(wanted(`v${i}`));
  }
});
