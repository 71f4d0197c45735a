/**
 * Random commands of several keys, whose keys are on any nodes, to a proxy with three nodes and to a bare Redis: the same
 * replies, and the same keys. `FUZZ_STEPS` and `FUZZ_SEED` change how many and which.
 */
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { COMMANDS } from './commands-of-keys.js';
import { contents, shown } from './compared.js';
import { Random } from './random.js';

const STEPS = Number(process.env.FUZZ_STEPS ?? 4000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_127);
/** Steps until the keys are compared, and another protocol is spoken. */
const ROUND = 40;

it(`${STEPS} random commands of several keys are answered as a bare Redis answers them`, {
  timeout: 60_000 + STEPS * 20,
}, async () => {
  const [nodes, bare] = await Promise.all([startRedises(3), startRedis()]);
  const proxy = await startRingproxy({ nodes });
  const ours = await RawClient.connect(proxy.port);
  const theirs = await RawClient.connect(bare.port);
  const random = new Random(SEED);
  const said: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    if (step % ROUND === 0) {
      said.length = 0;
      const version = random.pick(['2', '3']);
      for (const client of [ours, theirs]) await client.pipeline([['FLUSHALL'], ['HELLO', version]]);
    }
    const { words, isUnordered } = random.pick(COMMANDS)(random);
    said.push(words.join(' '));
    const [reply, wanted] = await Promise.all([ours.command(...words), theirs.command(...words)]);
    expect(shown(reply, isUnordered), said.join('\n')).toBe(shown(wanted, isUnordered));
    if (step % ROUND === ROUND - 1) expect(await contents(ours), said.join('\n')).toEqual(await contents(theirs));
  }
  for (const node of nodes) expect(await node.client().keys('__ringproxy__*')).toEqual([]);
});
