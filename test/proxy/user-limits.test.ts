/** What clients of one user may do, at a real proxy: of one process, and of two that count together. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { scrape } from '../support/series.js';
import { tempFolder } from '../support/temp-folder.js';

const OK = '+OK\r\n';
const FULL = '-ERR max number of clients of this user reached\r\n';
const LIMIT = /^-LIMIT clients of this user may send 50 commands a second \(commands-per-user\)/;

const USERS = `users:
  default: "on nopass ~* &* +@all"
  few: "on >f ~* &* +@all"
  shop: "on >s ~* &* +@all"
`;

interface Stage {
  readonly proxy: RingproxyProcess;
  /** Writes the limits, and has them read. */
  reload(limits: string): Promise<void>;
}

async function start(limits: string, workers: number): Promise<Stage> {
  const file = join(tempFolder('limits'), 'ringproxy.yaml');
  writeFileSync(file, USERS + limits);
  const args = ['-c', file, '--workers', String(workers)];
  const proxy = await startRingproxy({ nodes: await startRedises(2), args, allowLog: [/max-clients-per-user/] });
  return {
    proxy,
    async reload(further) {
      writeFileSync(file, USERS + further);
      const told = proxy.log.filter(({ msg }) => /was read again/.test(msg)).length;
      proxy.kill('SIGHUP');
      await expect.poll(() => proxy.log.filter(({ msg }) => /was read again/.test(msg)).length).toBeGreaterThan(told);
    },
  };
}

function connect({ proxy }: Stage, clients: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: clients }, () => RawClient.connect(proxy.port)));
}

/** @returns what EXEC is answered */
async function inTransaction(client: RawClient, ...commands: readonly string[][]): Promise<string> {
  const replies = await client.pipeline([['MULTI'], ...commands, ['EXEC']]);
  return String(replies.at(-1));
}

async function limitedOf({ proxy }: Stage): Promise<{ connections: number; commands: number }> {
  const series = await scrape(proxy.admin);
  const of = (limit: string): number => series.get(`ringproxy_limited_total{limit="${limit}",of="user"}`) ?? 0;
  return { connections: of('connections'), commands: of('commands') };
}

describe.each([1, 2])('clients of one user, with %i workers', (workers) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await start('', workers);
  });

  it('are no more than may be, however many log in at once, and each is counted by the user that it is', async () => {
    await stage.reload('user-limits:\n  few: { max-clients: 3 }\n');
    const clients = await connect(stage, 16);
    const login = (client: RawClient): Promise<string> => client.text('AUTH', 'few', 'f');
    const replies = await Promise.all(clients.map(login));
    const within = clients.filter((_client, i) => replies[i] === OK);
    const refused = clients.filter((_client, i) => replies[i] === FULL);
    expect([within.length, refused.length]).toEqual([3, 13]);
    // Who was refused is who it was, and who is this user already may say so again.
    expect(await refused[0]?.text('ACL', 'WHOAMI')).toBe('$7\r\ndefault\r\n');
    expect(await Promise.all(within.map(login))).toEqual([OK, OK, OK]);
    const [first, second, third] = within as [RawClient, RawClient, RawClient];
    const [next, afterwards, last, late] = refused as [RawClient, RawClient, RawClient, RawClient];
    // Each of them makes room for one: another user, RESET, the end of its connection.
    expect(await first.text('HELLO', '3', 'AUTH', 'shop', 's')).toMatch(/^%/);
    await expect.poll(() => next.text('HELLO', '2', 'AUTH', 'few', 'f')).toMatch(/^\*/);
    expect(await login(late)).toBe(FULL);
    expect(await second.text('RESET')).toBe('+RESET\r\n');
    await expect.poll(() => login(afterwards)).toBe(OK);
    expect(await login(late)).toBe(FULL);
    third.close();
    await expect.poll(() => login(last)).toBe(OK);
    expect(await login(late)).toBe(FULL);
    expect(await late.text('HELLO', '3', 'AUTH', 'few', 'f')).toBe(FULL);
    // A wrong password is told as such, and takes no place.
    expect(await late.text('AUTH', 'few', 'wrong')).toMatch(/^-WRONGPASS/);
    // In a transaction it is the same.
    expect(await inTransaction(late, ['AUTH', 'few', 'f'], ['ACL', 'WHOAMI'])).toBe(`*2\r\n${FULL}$7\r\ndefault\r\n`);
    expect((await limitedOf(stage)).connections).toBeGreaterThanOrEqual(16);
  });

  it('are no more than may be, also where they log in within transactions, each of which holds its place', async () => {
    await stage.reload('user-limits:\n  few: { max-clients: 3 }\n  shop: { max-clients: 1 }\n');
    const clients = await connect(stage, 12);
    const logIn = (client: RawClient) => inTransaction(client, ['AUTH', 'few', 'f']);
    const replies = await Promise.all(clients.map(logIn));
    const within = clients.filter((_client, i) => replies[i] === `*1\r\n${OK}`);
    const refused = clients.filter((_client, i) => replies[i] === `*1\r\n${FULL}`);
    expect([within.length, refused.length]).toEqual([3, 9]);
    const [first, second] = within as [RawClient, RawClient];
    const [other, late, latest] = refused as [RawClient, RawClient, RawClient];
    // Keys on both nodes, other users meanwhile, back again: its place stays its own, and the other one is free again.
    const sets = Array.from({ length: 20 }, (_, i) => ['SET', `on-both-nodes:${i}`, '1']);
    const toAndFro = [
      ['AUTH', 'shop', 's'],
      ['AUTH', 'default', ''],
      ['AUTH', 'few', 'f'],
      ['AUTH', 'few', 'f'],
    ];
    expect(await inTransaction(first, ...sets, ...toAndFro, ['ACL', 'WHOAMI'])).toBe(
      `*25\r\n${OK.repeat(24)}$3\r\nfew\r\n`,
    );
    expect(await logIn(late)).toBe(`*1\r\n${FULL}`);
    await expect.poll(() => other.text('AUTH', 'shop', 's')).toBe(OK);
    expect(await inTransaction(second, ['AUTH', 'shop', 's'], ['ACL', 'WHOAMI'])).toBe(`*2\r\n${FULL}$3\r\nfew\r\n`);
    expect(await second.text('RESET')).toBe('+RESET\r\n');
    // Now there is one place: what does not run takes none, nor does a wrong password.
    const tried = ['AUTH', 'few', 'f'];
    expect(await inTransaction(late, ['AUTH', 'few', 'wrong'], [...tried, 'f'])).toMatch(
      /^\*2\r\n-WRONGPASS.*\r\n-ERR syntax error\r\n$/,
    );
    expect((await late.pipeline([['MULTI'], tried, ['DISCARD']])).map(String).at(-1)).toBe(OK);
    expect(await inTransaction(late, tried, ['NO-SUCH-COMMAND'])).toMatch(/^-EXECABORT/);
    await late.pipeline([
      ['WATCH', 'touched'],
      ['SET', 'touched', '1'],
    ]);
    expect(await inTransaction(late, tried)).toBe('*-1\r\n');
    expect(await late.text('ACL', 'WHOAMI')).toBe('$7\r\ndefault\r\n');
    // Who leaves while it waits to be told leaves nothing behind.
    for (let i = 0; i < 20; i++) {
      const leaver = await RawClient.connect(stage.proxy.port);
      const unheard = logIn(leaver).catch(() => 'closed');
      leaver.close();
      await unheard;
    }
    await expect.poll(() => logIn(latest)).toBe(`*1\r\n${OK}`);
    expect(await inTransaction(second, ['AUTH', 'few', 'f'])).toBe(`*1\r\n${FULL}`);
  });

  it('send so many commands a second, and are told beyond, where that is wanted; nobody else is', async () => {
    await stage.reload('user-limits:\n  shop: { commands: 50 }\nlimit-mode: refuse\n');
    const [shop, other] = (await connect(stage, 2)) as [RawClient, RawClient];
    expect(await shop.text('AUTH', 'shop', 's')).toBe(OK);
    const before = (await limitedOf(stage)).commands;
    const began = performance.now();
    const commands = Array.from({ length: 400 }, (_, i) => ['SET', `key:${i}`, 'value']);
    const replies = (await shop.pipeline(commands)).map(String);
    const most = 51 + ((performance.now() - began) / 1000) * 50;
    const done = replies.filter((reply) => reply === OK).length;
    expect(done).toBeGreaterThanOrEqual(49);
    expect(done).toBeLessThanOrEqual(most);
    expect(replies.filter((reply) => LIMIT.test(reply))).toHaveLength(400 - done);
    // What was refused was not done.
    expect(await other.text('EXISTS', ...commands.map(([, key]) => String(key)))).toBe(`:${done}\r\n`);
    expect(await other.pipeline(commands)).toEqual(commands.map(() => Buffer.from(OK)));
    expect((await limitedOf(stage)).commands - before).toBe(400 - done);
    // What steers the connection is carried out in any case; a transaction of which a part was refused is void.
    const burst = Array.from({ length: 100 }, () => ['PING', 'x'] as const);
    const behind = await shop.pipeline([...burst, ['SELECT', '3'], ['MULTI'], ['SET', 'void', '1'], ['EXEC']]);
    const [selected, opened, queued, ran] = behind.slice(100).map(String);
    expect([selected, opened]).toEqual([OK, OK]);
    expect(queued).toMatch(LIMIT);
    expect(ran).toMatch(/^-EXECABORT/);
    expect(
      String(
        (
          await other.pipeline([
            ['SELECT', '3'],
            ['EXISTS', 'void'],
          ])
        )[1],
      ),
    ).toBe(':0\r\n');
    // What is over is over.
    await expect.poll(() => shop.text('GET', 'void')).toBe('$-1\r\n');
  });

  it('are slowed down by what is read anew, those that are there as well, and not any more', async () => {
    await stage.reload('');
    const [shop, other] = (await connect(stage, 2)) as [RawClient, RawClient];
    expect(await shop.text('AUTH', 'shop', 's')).toBe(OK);
    const some = Array.from({ length: 700 }, () => ['PING']);
    const before = (await limitedOf(stage)).commands;
    await stage.reload('commands-per-user: 400\nuser-limits:\n  default: { commands: 0 }\n');
    // Workers are told in their order, but when is not known.
    await expect
      .poll(async () => {
        await shop.pipeline(some);
        return (await limitedOf(stage)).commands;
      })
      .toBeGreaterThan(before);
    const began = performance.now();
    // Each time what has come is handled whole, and its debt is waited for in front of the next.
    for (let round = 0; round < 2; round++) await shop.pipeline(some);
    expect(performance.now() - began).toBeGreaterThan(600);
    await other.pipeline(Array.from({ length: 2000 }, () => ['PING']));
    // It waits for a debt of five seconds when the limit is taken away.
    await shop.pipeline(Array.from({ length: 2000 }, () => ['PING']));
    const waiting = shop.text('PING');
    await stage.reload('');
    expect(await waiting).toBe('+PONG\r\n');
    const { commands } = await limitedOf(stage);
    await shop.pipeline(Array.from({ length: 2000 }, () => ['PING']));
    expect((await limitedOf(stage)).commands).toBe(commands);
  });

  it('that need not log in are told as they come', async () => {
    await stage.reload('max-clients-per-user: 3\n');
    const come = async (): Promise<[RawClient[], string[]]> => {
      const clients = await connect(stage, 8);
      const replies = await Promise.all(clients.map((client) => client.text('PING').catch(() => 'closed')));
      return [clients.filter((_client, i) => replies[i] === '+PONG\r\n'), replies];
    };
    // Those of before may count for a moment.
    await expect
      .poll(async () => {
        const [within, replies] = await come();
        for (const client of within) client.close();
        expect(within.length).toBeLessThanOrEqual(3);
        return replies.filter((reply) => reply === FULL).length;
      })
      .toBe(5);
    await expect
      .poll(async () => {
        const [client] = (await connect(stage, 1)) as [RawClient];
        return client.text('PING').catch(() => 'closed');
      })
      .toBe('+PONG\r\n');
  });
});
