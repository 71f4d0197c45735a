/**
 * A proxy that was stopped for longer than its lease goes on as if nothing had happened. Each kind of connection on which
 * commands of clients go to nodes bears the proxy's name first, looks then whether that still counts, and carries
 * nothing before the answer.
 */
import { describe, expect, it } from 'vitest';
import type { RawClient } from '../support/raw-client.js';
import { type PlaneStage, stagePlane } from './stage.js';

type Words = readonly string[];

interface Kind {
  readonly title: string;
  /** Sent before this proxy becomes unsure of its right. */
  readonly before: readonly Words[];
  /** Needs a connection that there is not yet. */
  readonly command: Words;
  /** What of it the node is sent. */
  readonly sent: Words;
  readonly reply: string;
}

const KINDS: readonly Kind[] = [
  { title: 'shared lanes', before: [], command: ['SET', 'k', 'v'], sent: ['SET', 'k', 'v'], reply: '+OK\r\n' },
  {
    title: 'lanes of another protocol',
    before: [['HELLO', '3']],
    command: ['SET', 'k', 'v'],
    sent: ['SET', 'k', 'v'],
    reply: '+OK\r\n',
  },
  {
    title: 'lanes of one client',
    before: [['GET', 'k']],
    command: ['WATCH', 'k'],
    sent: ['WATCH', 'k'],
    reply: '+OK\r\n',
  },
  {
    title: 'lanes of commands that wait',
    before: [['RPUSH', 'l', 'v']],
    command: ['BLPOP', 'l', '5'],
    sent: ['BLPOP', 'l'],
    reply: '*2\r\n$1\r\nl\r\n$1\r\nv\r\n',
  },
  {
    title: 'connections that listen to channels',
    before: [['GET', 'k']],
    command: ['SUBSCRIBE', 'c'],
    sent: ['SUBSCRIBE', 'c'],
    reply: '*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n',
  },
  {
    title: 'connections that listen to changed keys',
    before: [
      ['HELLO', '3'],
      ['GET', 'k'],
    ],
    command: ['CLIENT', 'TRACKING', 'ON'],
    sent: ['CLIENT', 'TRACKING', 'ON'],
    reply: '+OK\r\n',
  },
];

const GREETING = /^(?:HELLO|SELECT|CLIENT (?:SETNAME|ID|INFO|KILL)|INFO)/;

/** What came behind the greetings. */
const carried = ({ net }: PlaneStage): string[] =>
  net.requests.map((words) => words.join(' ').toUpperCase()).filter((text) => !GREETING.test(text));
const named = ({ net }: PlaneStage): number => net.requests.filter((words) => words[1] === 'SETNAME').length;

async function lapsed({ before, command }: Pick<Kind, 'before' | 'command'>, settings = {}) {
  const stage = await stagePlane(settings);
  const client: RawClient = await stage.client();
  for (const words of before) await client.command(...words);
  const known = { carried: carried(stage).length, named: named(stage) };
  stage.standing.lapse();
  const reply = client.text(...command);
  await expect.poll(() => stage.standing.asked.length).toBeGreaterThan(0);
  return { ...stage, stage, client, known, reply };
}

describe.each(KINDS)('$title', (kind) => {
  it('carry nothing before the look says yes', async () => {
    const { stage, standing, known, reply } = await lapsed(kind);
    expect(new Set(standing.asked)).toEqual(new Set(['f00d']));
    expect(named(stage)).toBeGreaterThan(known.named);
    const names = stage.net.requests.filter((words) => words[1] === 'SETNAME').map((words) => words[2]);
    expect(new Set(names)).toEqual(new Set(['ringproxy:f00d']));
    // It does not know: it looks again.
    const asked = standing.asked.length;
    standing.answer('unsure');
    await expect.poll(() => standing.asked.length).toBeGreaterThan(asked);
    expect(carried(stage)).toHaveLength(known.carried);
    const answering = setInterval(() => standing.answer('speak'), 5);
    expect(await reply).toBe(kind.reply);
    await expect
      .poll(() => carried(stage).slice(known.carried).join('\n'))
      .toContain(kind.sent.join(' ').toUpperCase());
    clearInterval(answering);
  });

  it('carry nothing when the look says no', async () => {
    const { stage, standing, known, reply } = await lapsed(kind, { connectTimeout: 300 });
    const answering = setInterval(() => standing.answer('fenced-off'), 5);
    // Whoever listens is told by and by: the node counts as one that cannot be reached.
    if (!kind.title.includes('listen')) {
      expect(await reply).toMatch(/^-TRYAGAIN node node1 .* the fleet has passed this proxy over; try again\r\n$/);
    } else await expect.poll(() => named(stage)).toBeGreaterThan(known.named + 2);
    expect(carried(stage)).toHaveLength(known.carried);
    clearInterval(answering);
  });
});

it('a command that waited for the store for too long is answered so, and the node does not count as down', async () => {
  const { stage, standing, client, reply } = await lapsed(
    { before: [], command: ['GET', 'k'] },
    { connectTimeout: 200 },
  );
  const answering = setInterval(() => standing.answer('unsure'), 5);
  expect(await reply).toMatch(
    /^-TRYAGAIN node node1 .* the store of the ring \(etcd\) does not answer.*; try again\r\n$/,
  );
  expect((await stage.plane.stats()).nodes.map(({ up }) => up)).toEqual([true]);
  clearInterval(answering);
  const again = client.text('GET', 'k');
  const speaking = setInterval(() => standing.answer('speak'), 5);
  expect(await again).toBe('$-1\r\n');
  clearInterval(speaking);
});

it('connections that have looked go on, and those that wait hold up nobody who can go by them', async () => {
  const stage = await stagePlane({ nodeConnections: 2 });
  const client = await stage.client();
  await client.command('SET', 'k', 'v');
  stage.standing.lapse();
  const other = await stage.client();
  for (let i = 0; i < 20; i++) expect(await other.text('GET', 'k')).toBe('$1\r\nv\r\n');
});

it('a node that takes no names is not used in a fleet, and says what it lacks', async () => {
  const stage = await stagePlane();
  await stage.redis.client().call('ACL', 'SETUSER', 'default', '-client|setname');
  const client = await stage.client();
  expect(await client.text('SET', 'k', 'v')).toBe('+OK\r\n');
  stage.standing.lapse();
  expect(await client.text('WATCH', 'k')).toMatch(/^-NODEDOWN node node1 .* client\|setname/);
  expect(carried(stage)).toEqual(['SET K V']);
});
