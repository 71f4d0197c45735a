/** Limits that a fleet has together (`limit-scope: fleet`), over real proxies that come, leave and are killed. */
import { expect, it } from 'vitest';
import { type Fleet, type FleetProxy, startFleet, TROUBLE } from '../support/fleet.js';
import { RawClient } from '../support/raw-client.js';

const FULL = '-ERR max number of clients of this user reached\r\n';
const MOST = 6;

const CONFIG = `limit-scope: fleet
member-ttl: 2s
users:
  default: "on nopass ~* &* +@all"
  few: "on >f ~* &* +@all"
user-limits:
  few: { max-clients: ${MOST} }
`;

/** Tries to be one client more than may be in all. @returns those that are in */
async function logIn({ host, port }: FleetProxy): Promise<RawClient[]> {
  const clients = await Promise.all(Array.from({ length: MOST + 1 }, () => RawClient.connect(port, host)));
  const replies = await Promise.all(clients.map((client) => client.text('AUTH', 'few', 'f')));
  expect(replies.filter((reply) => reply !== '+OK\r\n' && reply !== FULL)).toEqual([]);
  for (const [i, client] of clients.entries()) if (replies[i] === FULL) client.close();
  return clients.filter((_client, i) => replies[i] !== FULL);
}

async function haveParts(fleet: Fleet, parts: number): Promise<void> {
  const words = `one of ${parts} parts`;
  const last = ({ process: { log } }: FleetProxy) =>
    log.findLast(({ msg }) => String(msg).includes(' parts (limit-scope'));
  await expect
    .poll(() => fleet.running.every((proxy) => String(last(proxy)?.msg).includes(words)), { timeout: 20_000 })
    .toBe(true);
}

it('all proxies together let in as many clients of a user as may be, whoever joins, leaves or dies', {
  timeout: 60_000,
}, async () => {
  const fleet = await startFleet({ nodes: 1, proxies: 2, config: CONFIG, allowLog: TROUBLE });
  const [first, second] = fleet.proxies as [FleetProxy, FleetProxy];
  await haveParts(fleet, 2);
  const atFirst = await logIn(first);
  const atSecond = await logIn(second);
  expect([atFirst.length, atSecond.length]).toEqual([3, 3]);
  // Nobody is turned away for one that joins, which has its part.
  const third = await fleet.join();
  await haveParts(fleet, 3);
  expect((await logIn(third)).length).toBe(2);
  expect(await atFirst[0]?.text('PING')).toBe('+PONG\r\n');
  expect((await logIn(first)).length).toBe(0);
  await third.stop();
  await haveParts(fleet, 2);
  expect((await logIn(first)).length).toBe(0);
  // One that is killed counts until its lease has run out.
  await second.kill();
  await haveParts(fleet, 1);
  expect((await logIn(first)).length).toBe(3);
});
