/** A transaction while a script without keys keeps a node busy: the first one, as nothing says where else to run it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { ownersOf } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

/** `script` begins a script that does not end, `kill` ends it; all else is a command of the transaction's client. */
type Step = 'script' | 'kill' | 'MULTI' | 'INCR' | 'EXEC';

const COURSES: readonly (readonly Step[])[] = [
  ['script', 'MULTI', 'INCR', 'kill', 'INCR', 'EXEC'],
  ['MULTI', 'INCR', 'script', 'INCR', 'EXEC', 'kill'],
  ['MULTI', 'INCR', 'script', 'INCR', 'kill', 'EXEC'],
  ['MULTI', 'INCR', 'script', 'EXEC', 'kill'],
];

let single: RedisProcess;
let nodes: RedisProcess[];
let proxy: RingproxyProcess;
let ofBusyNode = '';
let ofIdleNode = '';

beforeAll(async () => {
  single = await startRedis();
  nodes = await startRedises(2);
  for (const node of [single, ...nodes]) await node.client().config('SET', 'busy-reply-threshold', '10');
  // On a slow machine too a script that hangs is to be ended before it counts as lost.
  proxy = await startRingproxy({ nodes, env: { RINGPROXY_REQUEST_TIMEOUT: '60s' }, allowLog: [/node\d/] });
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  const owners = await ownersOf(proxy, keys);
  [ofBusyNode = '', ofIdleNode = ''] = nodes.map((node) => keys[owners.indexOf(node.address)]);
});

/** @returns what the transaction's client was answered, then the value of the key */
async function run(port: number, key: string, course: readonly Step[]): Promise<string[]> {
  const [hanging, client, other] = await Promise.all([port, port, port].map((to) => RawClient.connect(to)));
  if (hanging === undefined || client === undefined || other === undefined) throw new Error('a client is missing');
  const ping = { timeout: 30_000, message: 'PING' };
  const replies: string[] = [];
  let ended: Promise<string> | null = null;
  await other.command('SET', key, '1');
  for (const step of course) {
    switch (step) {
      case 'script':
        ended = hanging.text('EVAL', 'while true do end', '0');
        await expect.poll(() => other.text('PING'), ping).toMatch(/^-BUSY /);
        break;
      case 'kill':
        expect(await other.text('SCRIPT', 'KILL')).toBe('+OK\r\n');
        expect(await ended).toMatch(/^-ERR .*Script killed by user/);
        await expect.poll(() => other.text('PING'), ping).toBe('+PONG\r\n');
        break;
      default:
        replies.push(await client.text(step, ...(step === 'INCR' ? [key] : [])));
    }
  }
  // It is not in a transaction any more.
  expect(await client.text('PING')).toBe('+PONG\r\n');
  replies.push(await other.text('GET', key));
  for (const each of [hanging, client, other]) each.close();
  return replies;
}

describe.each(COURSES.map((course) => [course.join(' '), course] as const))('%s', (_, course) => {
  it('is answered as by a single Redis, where the key is on the busy node', { timeout: 120_000 }, async () => {
    const replies = await run(proxy.port, ofBusyNode, course);
    expect(replies.at(-2)).toMatch(/^-EXECABORT /);
    expect(replies).toEqual(await run(single.port, ofBusyNode, course));
  });

  it('runs, where the key is on another node: one script does not stop the ring', { timeout: 120_000 }, async () => {
    const counts = course.filter((step) => step === 'INCR').map((_, i) => `:${i + 2}\r\n`);
    const replies = ['+OK\r\n', ...counts.map(() => '+QUEUED\r\n'), `*${counts.length}\r\n${counts.join('')}`];
    expect(await run(proxy.port, ofIdleNode, course)).toEqual([...replies, `$1\r\n${counts.length + 1}\r\n`]);
  });
});
