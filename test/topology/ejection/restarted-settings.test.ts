/**
 * Whether nodes that were restarted are emptied is changed while the proxy serves (SIGHUP); and nodes whose user lacks the
 * rights by which nodes are emptied.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type RedisProcess, startRedis } from '../../support/redis-process.js';
import { until } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { tempFolder } from '../../support/temp-folder.js';

const CONFIG = `
node-username: proxied
node-password: secret
on-node-failure: eject
eject-after: 1h
connect-timeout: 2s
request-timeout: 5s
probe-interval: 50ms
reconnect-backoff-max: 50ms
`;
const KEEP = `${CONFIG}on-node-restart: keep\n`;
const KEYS = Array.from({ length: 60 }, (_, i) => `key:${i}`);

/** What the proxy's user may not do there, also after a restart. */
function startWithout(...rights: string[]): Promise<RedisProcess> {
  return startRedis({ args: ['--user', 'proxied', 'on', '>secret', '~*', '&*', '+@all', ...rights] });
}

async function write(proxy: RingproxyProcess, value: string): Promise<void> {
  const client = proxy.client();
  for (const key of KEYS) expect(await client.set(key, value)).toBe('OK');
}

/** What is read, or an error, of the keys of that node. */
async function readAt(proxy: RingproxyProcess, keys: readonly string[]): Promise<string> {
  const client = proxy.client();
  const values = await Promise.all(keys.map((key) => client.get(key).catch(() => 'down')));
  return [...new Set(values.map((value) => value ?? 'none'))].join();
}

it('is emptied or not as the settings of now say, key by key where it has to be, and says which right lacks', async () => {
  const bare = await startWithout('-flushall', '-flushdb');
  const barer = await startWithout('-flushall', '-flushdb', '-unlink');
  const folder = tempFolder('state');
  const file = join(folder, 'ringproxy.yaml');
  writeFileSync(file, KEEP);
  const proxy = await startRingproxy({
    nodes: [`bare=${bare.address}`, `barer=${barer.address}`],
    args: ['-c', file, '--state-dir', folder],
    allowLog: [/bare/, /upstream/],
  });
  const recorded = (): number => readFileSync(join(folder, 'ring.json'), 'utf8').match(/"runId"/g)?.length ?? 0;
  const turn = async (config: string, processes: number): Promise<void> => {
    writeFileSync(file, config);
    proxy.kill('SIGHUP');
    await expect.poll(recorded, { timeout: 20_000 }).toBe(processes);
  };
  /** Written over after it was saved, and restarted. */
  const restart = async (node: RedisProcess, before: string, after: string): Promise<void> => {
    await write(proxy, before);
    await node.client().save();
    await write(proxy, after);
    await node.restart();
  };
  await write(proxy, 'first');
  const keysOf = async (node: RedisProcess) => (await node.client().keys('key:*')).sort();
  const [ofBare, ofBarer] = await Promise.all([keysOf(bare), keysOf(barer)]);
  expect(Math.min(ofBare.length, ofBarer.length)).toBeGreaterThan(5);

  await restart(bare, 'old', 'new');
  await expect.poll(() => readAt(proxy, ofBare), { timeout: 20_000 }).toBe('old');

  // What was restarted before it was turned on is not emptied behind that.
  await turn(CONFIG, 2);
  expect([await readAt(proxy, ofBare), await readAt(proxy, ofBarer)]).toEqual(['old', 'new']);

  await restart(bare, 'old', 'new');
  await expect.poll(() => readAt(proxy, ofBare), { timeout: 20_000 }).toBe('none');

  await restart(barer, 'old', 'new');
  const lacks = /barer was restarted, and cannot be emptied yet: .*\+flushall/;
  await until(proxy, ({ nodes }) => nodes.some(({ name, reason }) => name === 'barer' && lacks.test(reason ?? '')));
  await proxy.logged(lacks);
  expect(await readAt(proxy, ofBarer)).toBe('down');
  await barer.client().call('ACL', 'SETUSER', 'proxied', '+flushall');
  await expect.poll(() => readAt(proxy, ofBarer), { timeout: 20_000 }).toBe('none');

  await turn(KEEP, 0);
  await restart(bare, 'old', 'new');
  await expect.poll(() => readAt(proxy, ofBare), { timeout: 20_000 }).toBe('old');
});
