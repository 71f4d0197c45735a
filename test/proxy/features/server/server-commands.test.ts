import { describe, expect, it } from 'vitest';
import { decodeReply } from '../../../../src/resp/decode.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedis, startRedises } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';

const SAME = [
  ...['ROLE', 'ACL WHOAMI', 'ACL USERS', 'ACL LIST', 'ACL GETUSER default', 'ACL GETUSER nobody', 'ACL GETUSER'],
  ...['ACL DRYRUN default GET a', 'ACL DRYRUN nobody GET a', 'ACL DRYRUN default NOSUCH a', 'ACL DRYRUN default GET'],
  ...['MODULE LIST', 'CONFIG GET maxmemory-policy', 'CONFIG GET', 'SLOWLOG GET x', 'SLOWLOG GET -2', 'LATENCY HISTORY'],
];

it.each([2, 3] as const)('answers as a Redis without users and replicas, in RESP%s', async (protocol) => {
  const redis = await startRedis();
  const proxy = await startRingproxy({ nodes: await startRedises(3) });
  const talk = async (port: number): Promise<string[]> => {
    const client = await RawClient.connect(port);
    await client.command('HELLO', String(protocol));
    const answers: string[] = [];
    for (const command of SAME) answers.push(`${command} → ${await client.text(...command.split(' '))}`);
    return answers;
  };
  expect(await talk(proxy.port)).toEqual(await talk(redis.port));
});

it('shows neither the passwords of nodes nor their users', async () => {
  const nodes = await startRedises(1, { args: ['--requirepass', 'of the node'] });
  const env = { RINGPROXY_NODE_PASSWORD: 'of the node', RINGPROXY_PASSWORD: 'secret' };
  const proxy = await startRingproxy({ nodes, env });
  for (const protocol of ['2', '3']) {
    const client = await RawClient.connect(proxy.port);
    await client.command('HELLO', protocol, 'AUTH', 'default', 'secret');
    const settings = await client.text('CONFIG', 'GET', '*');
    expect(settings).toContain('$11\r\nrequirepass\r\n$0\r\n');
    expect(settings).toContain('$9\r\nmaxmemory\r\n$1\r\n0\r\n');
    expect(settings).not.toContain('of the node');
    // Where a node is found is not for clients to know, or to change.
    expect(settings).not.toMatch(/\r\n(?:port|bind)\r\n/);
    expect(await client.text('CONFIG', 'GET', 'port')).toContain(`\r\n${proxy.port}\r\n`);
    // As Redis shows it: the SHA-256 of the proxy's password.
    const digest = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b';
    expect(await client.text('ACL', 'LIST')).toContain(`user default on #${digest} ~* &* +@all`);
    expect(await client.text('ACL', 'GETUSER', 'default')).not.toContain('nopass');
  }
});

describe('over all nodes', () => {
  // Symptom: one subscription was shown as one for each node, and a rewrite on the second node as none.
  it('INFO counts a subscription once, and says what is under way on any node', async () => {
    const nodes = await startRedises(3);
    const proxy = await startRingproxy({ nodes, args: ['--admin-commands', 'allow'] });
    const client = await RawClient.connect(proxy.port);
    const fieldsOf = async (section: string): Promise<Map<string, string>> =>
      new Map(
        [...(await client.text('INFO', section)).matchAll(/^(\w+):(.*)\r$/gm)].map(([, name, value]) => [
          name ?? '',
          value ?? '',
        ]),
      );
    const subscriber = await RawClient.connect(proxy.port);
    await subscriber.pipeline([
      ['SUBSCRIBE', 'a'],
      ['SUBSCRIBE', 'b'],
      ['PSUBSCRIBE', 'c*'],
    ]);
    const stats = await fieldsOf('stats');
    expect([stats.get('pubsub_channels'), stats.get('pubsub_patterns')]).toEqual(['2', '1']);
    const saved = Number(await client.text('LASTSAVE').then((reply) => reply.slice(1)));
    expect((await fieldsOf('persistence')).get('rdb_last_save_time')).toBe(String(saved));
    expect((await fieldsOf('cpu')).get('used_cpu_sys')).toMatch(/^\d+\.\d{6}$/);
  });

  // Symptom: DEBUG OBJECT said that there is no such key. Cause: every node was asked, and all but one do not have it.
  it('DEBUG OBJECT and its like look at the node that has the key', async () => {
    const nodes = await startRedises(3, { args: ['--enable-debug-command', 'local'] });
    const proxy = await startRingproxy({ nodes, args: ['--admin-commands', 'allow'] });
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 10; i++) {
      await client.command('RPUSH', `k${i}`, 'x');
      expect(await client.text('DEBUG', 'OBJECT', `k${i}`)).toMatch(/^\+Value at:/);
      expect((await client.pipeline([['MULTI'], ['debug', 'object', `k${i}`], ['EXEC']])).at(-1)?.toString()).toMatch(
        /^\*1\r\n\+Value at:/,
      );
      expect(await client.text('DEBUG', 'DIGEST-VALUE', `k${i}`)).not.toContain('0000000000');
    }
    expect(await client.text('DEBUG', 'OBJECT', 'missing')).toBe('-ERR no such key\r\n');
    expect(await client.text('DEBUG', 'OBJECT', '__ringproxy__x')).toMatch(/^-ERR keys with the prefix/);
    expect(await client.text('DEBUG', 'DIGEST-VALUE', ...Array.from({ length: 10 }, (_, i) => `k${i}`))).toMatch(
      /^-CROSSSLOT/,
    );
    expect(await client.text('DEBUG', 'SLEEP', '0')).toBe('+OK\r\n');
  });

  it('SLOWLOG has the latest of all, and is reset by permission', async () => {
    const nodes = await startRedises(3, { args: ['--slowlog-log-slower-than', '0'] });
    const proxy = await startRingproxy({ nodes, args: ['--admin-commands', 'allow'] });
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 20; i++) await client.command('SET', `k${i}`, 'v');
    const entriesOf = async (...words: string[]): Promise<{ time: number; words: string[] }[]> => {
      const entries = decodeReply(await client.command('SLOWLOG', 'GET', ...words))?.value;
      if (!Array.isArray(entries)) throw new Error('not an array');
      return entries.map((entry) => {
        if (!Array.isArray(entry) || !Array.isArray(entry[3])) throw new Error('not an entry');
        return { time: Number(entry[1]), words: entry[3].map(String) };
      });
    };
    expect(await entriesOf()).toHaveLength(10);
    expect(await entriesOf('3')).toHaveLength(3);
    const all = await entriesOf('-1');
    const sets = all.filter(({ words }) => words[0] === 'SET').map(({ words }) => words[1]);
    expect(new Set(sets)).toEqual(new Set(Array.from({ length: 20 }, (_, i) => `k${i}`)));
    expect(all.map(({ time }) => time)).toEqual(all.map(({ time }) => time).sort((a, b) => b - a));
    expect(Number((await client.text('SLOWLOG', 'LEN')).slice(1))).toBeGreaterThan(20);
    expect(await client.text('CONFIG', 'SET', 'maxclients', '9999', 'port', '1')).toMatch(
      /^-ERR CONFIG SET failed \(possibly related to argument 'port'\) - .*CONFIG SET port is not allowed through the proxy: /,
    );
    expect(await client.text('CONFIG', 'GET', 'maxclients')).toContain('10000');
    expect(await client.text('SLOWLOG', 'RESET')).toBe('+OK\r\n');
    expect((await entriesOf('-1')).some(({ words }) => words[0] === 'SET')).toBe(false);
  });

  it('LATENCY HISTOGRAM and MEMORY STATS add up; LATENCY LATEST has the worst', async () => {
    const nodes = await startRedises(3, {
      args: ['--latency-monitor-threshold', '1', '--enable-debug-command', 'yes'],
    });
    const proxy = await startRingproxy({ nodes });
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 60; i++) await client.command('SET', `k${i}`, 'v');
    const text = await client.text('LATENCY', 'HISTOGRAM', 'set');
    expect(text).toMatch(/^\*2\r\n\$3\r\nset\r\n\*4\r\n\$5\r\ncalls\r\n:60\r\n\$14\r\nhistogram_usec\r\n/);
    // The last bucket has all of them.
    expect(text).toMatch(/:60\r\n$/);
    const stats = await client.text('MEMORY', 'STATS');
    expect(stats).toMatch(/\$10\r\nkeys.count\r\n:60\r\n/);
    await nodes[0]?.client().call('DEBUG', 'SLEEP', '0.02');
    await nodes[2]?.client().call('DEBUG', 'SLEEP', '0.05');
    const latest = decodeReply(await client.command('LATENCY', 'LATEST'))?.value;
    const event = Array.isArray(latest)
      ? latest.find((entry) => Array.isArray(entry) && String(entry[0]) === 'command')
      : null;
    expect(Array.isArray(event) && Number(event[3])).toBeGreaterThanOrEqual(50);
    const history = decodeReply(await client.command('LATENCY', 'HISTORY', 'command'))?.value;
    const events = Array.isArray(history)
      ? history.map((entry) => (Array.isArray(entry) ? entry.map(Number) : []))
      : [];
    // Symptom: one second had an entry of each node. Cause: they were put one behind the other.
    expect(new Set(events.map(([time]) => time)).size).toBe(events.length);
    expect(Math.max(...events.map(([, latency]) => latency ?? 0))).toBeGreaterThanOrEqual(50);
    expect(await client.text('MEMORY', 'DOCTOR')).toMatch(/# Node node1\n[\s\S]*# Node node3\n/);
    expect(await client.text('LATENCY', 'RESET')).toMatch(/^-ERR LATENCY RESET is not allowed/);
    expect(await client.text('LASTSAVE')).toMatch(/^:\d{10}\r\n$/);
    expect(await client.text('BGSAVE')).toMatch(/^-ERR BGSAVE is not allowed/);
  });
});
