/**
 * Random commands of several keys, by several clients at two proxies: what each client is answered, and what is there in the
 * end, must follow from some order of the steps that the documentation tells of, those of one node being one step. Longer
 * with `CHECK_SECONDS`; the seed is `CHECK_SEED`.
 */
import { expect, it } from 'vitest';
import { RawClient } from '../../support/raw-client.js';
import { startRedises } from '../../support/redis-process.js';
import { ownersOf } from '../../support/ring-api.js';
import { startRingproxy } from '../../support/ringproxy-process.js';
import { NodeLog } from './node-log.js';
import { allKeys, Rounds, storyOf } from './rounds.js';
import { isExplained, type Told } from './search.js';
import { type NodeOf, type Rule, stepsOf } from './steps.js';

const SECONDS = Number(process.env.CHECK_SECONDS ?? 3);
const SEED = Number(process.env.CHECK_SEED ?? 1);
const CLIENTS = 5;
const IS_LONG = process.env.CHECK_SECONDS !== undefined;

it(`only interleavings that are documented (CHECK_SEED=${SEED})`, { timeout: 60_000 + SECONDS * 2000 }, async () => {
  const nodes = await startRedises(3);
  const proxies = await Promise.all([startRingproxy({ nodes }), startRingproxy({ nodes })]);
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => RawClient.connect(proxies[i % 2]?.port ?? 0)),
  );
  const keys = allKeys();
  const owners = await ownersOf(proxies[0] as (typeof proxies)[0], keys);
  const nodeOf: NodeOf = (key) => nodes.findIndex(({ address }) => address === owners[keys.indexOf(key)]);
  const log = IS_LONG ? await NodeLog.of(nodes) : null;
  const rounds = new Rounds(clients, SEED);
  const counts = { rounds: 0, notAtomic: 0, notFoundOut: 0 };
  // Without a round that needs several steps, none of it has looked at anything but one Redis.
  for (const end = Date.now() + SECONDS * 1000; Date.now() < end || counts.notAtomic === 0; counts.rounds++) {
    const told = await rounds.run();
    const carriedOut = log?.take();
    if (explained(told, nodeOf, 'atomic') === true) continue;
    counts.notAtomic++;
    const found = explained(told, nodeOf, 'steps');
    if (found === null) counts.notFoundOut++;
    expect(found, `round ${counts.rounds}\n${storyOf(told)}\n${carriedOut}`).not.toBe(false);
  }
  if (IS_LONG) console.info(JSON.stringify(counts));
  for (const node of nodes) expect(await node.client().keys('__ringproxy__*')).toEqual([]);
  expect(counts.notFoundOut).toBeLessThan(1 + counts.rounds / 100);
});

function explained(told: readonly (readonly Told[])[], nodeOf: NodeOf, rule: Rule): boolean | null {
  return isExplained(told, (words) => stepsOf(words, nodeOf, rule));
}
