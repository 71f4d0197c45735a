/** Commands on keys of several nodes while a node joins: keys change hands between their steps' commands, never within. */
import { expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { add, fill, post, settled } from '../../../support/ring-api.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { tempFolder } from '../../../support/temp-folder.js';

const LISTS = 12;
const ELEMENTS = 10;
const NAMES = 4;

it('nothing is lost, and nothing is answered with an error', async () => {
  const nodes = await startRedises(3);
  const proxy = await startRingproxy({ nodes: nodes.slice(0, 2), args: ['--state-dir', tempFolder('state')] });
  await fill(proxy, 8000);
  const client = await RawClient.connect(proxy.port);
  const elements: string[] = [];
  for (let list = 0; list < LISTS; list++) {
    const own = Array.from({ length: ELEMENTS }, (_, i) => `${list}-${i}`);
    await client.command('RPUSH', `list:${list}`, ...own);
    elements.push(...own);
  }
  const steps = { done: false };
  const moveElements = async (offset: number): Promise<void> => {
    const own = await RawClient.connect(proxy.port);
    for (let i = offset; !steps.done; i += 3) {
      const moved = await own.text('LMOVE', `list:${i % LISTS}`, `list:${(i * 7 + 5) % LISTS}`, 'LEFT', 'RIGHT');
      expect(moved).toMatch(/^\$/);
    }
  };
  const rename = async (value: number): Promise<number> => {
    const own = await RawClient.connect(proxy.port);
    await own.command('SET', `name:${value}:0`, `value ${value}`);
    let last = 0;
    for (; !steps.done; last++) {
      expect(await own.text('RENAME', `name:${value}:${last}`, `name:${value}:${last + 1}`)).toBe('+OK\r\n');
    }
    return last;
  };
  const movers = [0, 1, 2].map(moveElements);
  const renamers = Array.from({ length: NAMES }, (_, value) => rename(value));
  await post(proxy, 'changes', add('node3', nodes[2]));
  await settled(proxy);
  steps.done = true;
  await Promise.all(movers);
  const found: string[] = [];
  for (let list = 0; list < LISTS; list++) found.push(...(await proxy.client().lrange(`list:${list}`, 0, -1)));
  expect(found.sort()).toEqual(elements.sort());
  for (const [value, last] of (await Promise.all(renamers)).entries()) {
    expect(last).toBeGreaterThan(0);
    expect(await proxy.client().get(`name:${value}:${last}`)).toBe(`value ${value}`);
    expect(await proxy.client().exists(`name:${value}:${last - 1}`)).toBe(0);
  }
  expect(await proxy.client().dbsize()).toBeGreaterThanOrEqual(8000 + NAMES);
});
