/** XREAD and XREADGROUP that wait for streams on several nodes: what a single Redis answers, who is served, and what it costs. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../../support/redis-process.js';
import { add, ownersOf, post, settled } from '../../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../../support/ringproxy-process.js';
import { startMortalNodes } from './mortal-nodes.js';

let bare: RedisProcess;
let nodes: RedisProcess[];
let proxy: RingproxyProcess;
/** Each of them on another node. */
let keys: string[];
let watchers: RawClient[];

beforeAll(async () => {
  [bare, nodes] = await Promise.all([startRedis(), startRedises(3)]);
  proxy = await startRingproxy({ nodes });
  const names = Array.from({ length: 60 }, (_, i) => `key:${i}`);
  const owners = await ownersOf(proxy, names);
  keys = nodes.map((node) => names[owners.indexOf(node.address)] as string);
  watchers = await Promise.all(nodes.map((node) => RawClient.connect(node.port)));
});

beforeEach(async () => {
  await Promise.all([proxy.client().flushall(), bare.client().flushall()]);
});

/** Waits until so many clients of the server wait, as it says itself. */
async function waitingAt(port: number, count: number): Promise<void> {
  const watcher = await RawClient.connect(port);
  for (;;) {
    const list = await watcher.text('CLIENT', 'LIST');
    if ((list.match(/ flags=[^ ]*b/g) ?? []).length === count) break;
  }
  watcher.close();
}

/** How often each node was asked to read streams. */
async function reads(): Promise<number[]> {
  return Promise.all(
    watchers.map(async (watcher) => {
      const stats = await watcher.text('INFO', 'commandstats');
      const calls = [...stats.matchAll(/cmdstat_xread(?:group)?:calls=(\d+)/g)];
      return calls.reduce((sum, match) => sum + Number(match[1]), 0);
    }),
  );
}

/** Waits until the command that was sent then waits in its queues: it has looked (a group's twice), and tried once more. */
async function joined(before: readonly number[], command: string): Promise<void> {
  const least = command.startsWith('XREADGROUP') ? 3 : 2;
  const isAsked = (i: number): boolean => new RegExp(` ${'ABC'[i]} `).test(command);
  while ((await reads()).some((count, i) => isAsked(i) && count < (before[i] as number) + least)) {}
}

interface Case {
  readonly title: string;
  /** Keys are A, B and C. */
  readonly before?: string;
  readonly command: string;
  /** What another client does while the command waits; without it the command does not wait, or its time is over. */
  readonly meanwhile?: string;
  readonly after?: string;
}

const GROUPS = 'XGROUP CREATE A g $ MKSTREAM|XGROUP CREATE B g $ MKSTREAM|XGROUP CREATE C g $ MKSTREAM';
const IN_GROUP = 'XREADGROUP GROUP g one BLOCK 0 STREAMS A B C > > >';

const CASES: readonly Case[] = [
  { title: 'XREAD from the newest on', command: 'XREAD BLOCK 0 STREAMS A B C $ $ $', meanwhile: 'XADD B 1-1 f v' },
  {
    title: 'XREAD from the newest of what there is',
    before: 'XADD A 5-1 f old|XADD B 7-1 f old|XDEL B 7-1',
    command: 'XREAD COUNT 1 BLOCK 10000 STREAMS A B C $ $ 0',
    meanwhile: 'XADD B 7-2 f v',
  },
  {
    title: 'XREAD of what is there in several',
    before: 'XADD A 1-1 f v|XADD C 2-1 f v|XADD C 3-1 f v',
    command: 'XREAD COUNT 1 BLOCK 0 STREAMS A B C 0 0 0',
  },
  { title: 'XREAD whose time is over', command: 'XREAD BLOCK 30 STREAMS A B C $ 0 1-1' },
  { title: 'XREAD with options in other letters', command: 'xread block 30 count 2 streams A B C $ 0 1-1' },
  {
    title: 'XREAD of a stream twice',
    command: 'XREAD BLOCK 0 STREAMS A B A 0 0 5',
    meanwhile: 'XADD A 6-1 f v',
  },
  {
    title: 'XREAD of a stream that is renamed to the key',
    command: 'XREAD BLOCK 0 STREAMS A B C $ $ $',
    meanwhile: 'XADD {A}x 3-1 f v|RENAME {A}x A',
  },
  {
    title: 'XREAD of an entry that is beyond those that come',
    command: 'XREAD BLOCK 0 STREAMS A B C 9-0 9-0 9-0',
    meanwhile: 'XADD A 5-1 f v|XADD A 9-1 f v',
  },
  {
    title: 'XREAD of a key that is another type for a while',
    command: 'XREAD BLOCK 0 STREAMS A B C $ $ $',
    meanwhile: 'RPUSH A x|DEL A|XADD A 1-1 f v',
  },
  { title: 'XREAD of another type', before: 'SET B x', command: 'XREAD BLOCK 0 STREAMS A B C $ $ $' },
  {
    title: 'XREAD of what comes in a transaction',
    command: 'XREAD BLOCK 0 STREAMS A B C $ $ $',
    meanwhile: 'MULTI|XADD C 1-1 f v|XADD C 1-2 f v|EXEC',
  },
  { title: 'a timeout that is none', before: 'SET A x', command: 'XREAD BLOCK soon STREAMS A B C $ $ $' },
  { title: 'a negative timeout', command: 'XREAD BLOCK -1 STREAMS A B C $ $ $' },
  { title: 'an id that is none', command: 'XREAD BLOCK 0 STREAMS A B C 0 x $' },
  { title: 'an id for groups', command: 'XREAD BLOCK 0 STREAMS A B C 0 > 0' },
  { title: 'a missing id', command: 'XREAD BLOCK 0 STREAMS A B C 0 0' },
  {
    title: 'XREADGROUP',
    before: GROUPS,
    command: IN_GROUP,
    meanwhile: 'XADD B 1-1 f v',
    after: 'XPENDING B g - + 10 other|XINFO GROUPS B',
  },
  {
    title: 'XREADGROUP of what is there in several',
    before: `${GROUPS}|XADD A 1-1 f v|XADD C 1-1 f v`,
    command: IN_GROUP,
    after: 'XINFO GROUPS A|XINFO GROUPS C',
  },
  {
    title: 'XREADGROUP without acknowledgement',
    before: GROUPS,
    command: 'XREADGROUP GROUP g one COUNT 1 BLOCK 0 NOACK STREAMS A B C > > >',
    meanwhile: 'MULTI|XADD B 1-1 f v|XADD B 1-2 f v|EXEC',
    after: 'XINFO GROUPS B',
  },
  {
    title: 'XREADGROUP whose time is over',
    before: GROUPS,
    command: 'XREADGROUP GROUP g one BLOCK 30 STREAMS A B C > > >',
  },
  {
    title: 'XREADGROUP of a history',
    before: `${GROUPS}|XADD A 1-1 f v`,
    command: 'XREADGROUP GROUP g one BLOCK 0 STREAMS A B C > 0 >',
  },
  { title: 'no group', before: 'XADD A 1-1 f v', command: IN_GROUP },
  {
    title: 'no group of the second stream',
    before: 'XGROUP CREATE A g $ MKSTREAM|XADD A 1-1 f v',
    command: IN_GROUP,
    after: 'XREADGROUP GROUP g one STREAMS A 0',
  },
  { title: 'a group that goes', before: GROUPS, command: IN_GROUP, meanwhile: 'XGROUP DESTROY B g' },
  { title: 'a stream that goes', before: GROUPS, command: IN_GROUP, meanwhile: 'DEL C' },
  { title: 'a stream that becomes another type', before: GROUPS, command: IN_GROUP, meanwhile: 'SET A x' },
  { title: 'all streams that go', before: GROUPS, command: IN_GROUP, meanwhile: 'FLUSHALL' },
];

/** @returns the words of a line, with the keys put in */
function words(line: string): string[] {
  const [a, b, c] = keys as [string, string, string];
  const names: Record<string, string> = { A: a, B: b, C: c, '{A}x': `{${a}}x` };
  return line.split(' ').map((word) => names[word] ?? word);
}

function lines(text: string | undefined): string[][] {
  return text === undefined ? [] : text.split('|').map(words);
}

describe.each(['2', '3'])('RESP%s', (protocol) => {
  it.each(CASES)('$title', async ({ before, command, meanwhile, after }) => {
    const told = async (port: number): Promise<string[]> => {
      const client = await RawClient.connect(port);
      const other = await RawClient.connect(port);
      await client.command('HELLO', protocol);
      for (const line of lines(before)) await client.command(...line);
      const counts = await reads();
      const reply = client.text(...words(command));
      if (meanwhile !== undefined) {
        await waitingAt(port, 1);
        if (port === proxy.port) await joined(counts, command);
        for (const line of lines(meanwhile)) await other.command(...line);
      }
      const replies = [await reply];
      for (const line of lines(after)) replies.push(await other.text(...line));
      replies.push(await client.text('PING'));
      return replies;
    };
    expect(await told(proxy.port)).toEqual(await told(bare.port));
    await waitingAt(proxy.port, 0);
  });
});

it.each(['TIMEOUT', 'ERROR'])('CLIENT UNBLOCK with %s', async (mode) => {
  const told = async (port: number): Promise<string[]> => {
    const client = await RawClient.connect(port);
    const other = await RawClient.connect(port);
    const id = (await client.text('CLIENT', 'ID')).slice(1, -2);
    const reply = client.text(...words('XREAD BLOCK 0 STREAMS A B C $ $ $'));
    await waitingAt(port, 1);
    const answer = await other.text('CLIENT', 'UNBLOCK', id, mode);
    return [answer, await reply, await other.text('CLIENT', 'UNBLOCK', id), await client.text('PING')];
  };
  expect(await told(proxy.port)).toEqual(await told(bare.port));
});

it('in a transaction nothing waits', async () => {
  const [a = ''] = keys;
  const client = await RawClient.connect(proxy.port);
  const replies = await client.pipeline([
    ['MULTI'],
    ['XREAD', 'BLOCK', '0', 'STREAMS', a, `{${a}}x`, '$', '$'],
    ['EXEC'],
  ]);
  expect(String(replies[2])).toBe('*1\r\n*-1\r\n');
});

async function many(count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => RawClient.connect(proxy.port)));
}

it('one entry serves all who read a stream, at the price of one try', async () => {
  const total = async (): Promise<number> => (await reads()).reduce((sum, count) => sum + count);
  const clients = await many(300);
  const start = await total();
  const told = clients.map((client) => client.text(...words('XREAD BLOCK 0 STREAMS A B C $ $ $')));
  await waitingAt(proxy.port, clients.length);
  // Each has looked at three nodes, and somebody has tried at each behind that.
  while ((await total()) < start + 3 * clients.length + 3) {}
  const before = await total();
  await proxy.client().xadd(keys[1] as string, '1-1', 'f', 'v');
  for (const reply of told) expect(await reply).toContain('1-1');
  // Some tries of those who came may be under way still.
  expect((await total()) - before).toBeLessThan(clients.length / 5);
  expect(await proxy.client().info('clients')).toContain('blocked_clients:0');
});

it('each entry goes to one reader of a group, and who has left takes none', async () => {
  for (const line of lines(GROUPS)) await (await RawClient.connect(proxy.port)).command(...line);
  const clients = await many(40);
  const told = clients.map((client) => client.text(...words(IN_GROUP)));
  for (const reply of told) reply.catch(() => {});
  await waitingAt(proxy.port, clients.length);
  for (const client of clients.slice(20)) client.close();
  await waitingAt(proxy.port, 20);
  const adder = proxy.client();
  for (let i = 0; i < 20; i++) {
    await adder.xadd(keys[i % 3] as string, `${i + 1}-1`, 'f', 'v');
    await waitingAt(proxy.port, 19 - i);
  }
  const ids = (await Promise.all(told.slice(0, 20))).flatMap((reply) => reply.match(/\d+-1/g) ?? []);
  expect(new Set(ids).size).toBe(20);
  expect(ids).toHaveLength(20);
});

it('a client that sends nothing more gets what is there, and does not wait', async () => {
  const told = async (port: number): Promise<string[]> => {
    const replies: string[] = [];
    for (const id of ['0', '$']) {
      const client = await RawClient.connect(port);
      await client.command(...words('XADD A 1-1 f v'));
      const received: Buffer[] = [];
      client.socket.on('data', (chunk: Buffer) => received.push(chunk));
      client.socket.end(`PING\r\n${words(`XREAD BLOCK 0 STREAMS A B ${id} ${id}`).join(' ')}\r\n`);
      await client.closed;
      replies.push(Buffer.concat(received).toString());
    }
    return replies;
  };
  expect(await told(proxy.port)).toEqual(await told(bare.port));
});

it('a node that is down is an error at first, and otherwise the other streams are waited for', async () => {
  const { one, two, small, x, y } = await startMortalNodes();
  const client = await RawClient.connect(small.port);
  const other = await RawClient.connect(small.port);
  const reply = client.text('XREAD', 'BLOCK', '0', 'STREAMS', x, y, '$', '$');
  await waitingAt(small.port, 1);
  const [first, second] = [one.client(), two.client()];
  while (!/cmdstat_xread:calls=[2-9]/.test(await first.info('commandstats'))) {}
  while (!/cmdstat_xread:calls=[2-9]/.test(await second.info('commandstats'))) {}
  await one.stop();
  while (!(await other.text('GET', x)).startsWith('-NODEDOWN')) {}
  expect(await other.text('XREAD', 'BLOCK', '0', 'STREAMS', x, y, '$', '$')).toMatch(/^-NODEDOWN node node1/);
  await other.command('XADD', y, '1-1', 'f', 'there');
  expect(await reply).toContain('there');
});

it('it goes on where its streams are, also when these have come apart', async () => {
  const [one, two] = (await startRedises(2)) as [RedisProcess, RedisProcess];
  const small = await startRingproxy({ nodes: [one] });
  const names = Array.from({ length: 40 }, (_, i) => `stream:${i}`);
  const adder = small.client();
  for (const name of names) {
    await adder.xadd(name, '5-1', 'f', 'old');
    await adder.xgroup('CREATE', name, 'g', '$');
    await adder.xgroup('CREATE', `${name}:more`, 'g', '$', 'MKSTREAM');
  }
  const clients = await Promise.all(names.map(() => RawClient.connect(small.port)));
  const replies = clients.map((client, i) =>
    i % 4 < 2
      ? client.text('XREAD', 'BLOCK', '0', 'STREAMS', `${names[i]}`, `${names[i]}:more`, '$', '$')
      : client.text(
          'XREADGROUP',
          'GROUP',
          'g',
          'c',
          'BLOCK',
          '0',
          'STREAMS',
          `${names[i]}`,
          `${names[i]}:more`,
          '>',
          '>',
        ),
  );
  await waitingAt(small.port, names.length);
  await post(small, 'changes', add('node2', two));
  await settled(small);
  const owners = await ownersOf(small, names);
  const others = await ownersOf(
    small,
    names.map((name) => `${name}:more`),
  );
  expect(owners.some((owner, i) => owner !== others[i])).toBe(true);
  for (const [i, name] of names.entries())
    await adder.xadd(i % 2 === 0 ? name : `${name}:more`, '6-1', 'f', `for ${i}`);
  for (const [i, reply] of replies.entries()) {
    const text = await reply;
    expect(text).toContain(`for ${i}`);
    expect(text).not.toContain('old');
  }
});
