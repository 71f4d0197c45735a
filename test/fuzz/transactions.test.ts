/**
 * Random transactions of commands of several keys, whose keys are on any nodes, to a proxy with three nodes and to a bare
 * Redis: the same replies, and the same keys. `FUZZ_STEPS` and `FUZZ_SEED` change how many and which.
 */
import { expect, it } from 'vitest';
import { elementsIn } from '../../src/proxy/features/cross-node/replies.js';
import { RawClient } from '../support/raw-client.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { COMMANDS, type RandomCommand } from './commands-of-keys.js';
import { contents, shown } from './compared.js';
import { Random } from './random.js';

const STEPS = Number(process.env.FUZZ_STEPS ?? 500);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_128);
/** Transactions until the keys are compared, and another protocol is spoken. */
const ROUND = 10;

const ordered = (...words: string[]): RandomCommand => ({ words, isUnordered: false });

/** What waits, which it does not in a transaction, and what is no command of keys. */
const FURTHER: readonly ((random: Random) => RandomCommand)[] = [
  (r) => ordered(r.pick(['BLPOP', 'BRPOP']), ...lists(r), r.pick(['0', '1', 'nonsense', '-1'])),
  (r) => ordered('BLMPOP', '0', '2', list(r), list(r), r.pick(['LEFT', 'RIGHT', 'MIDDLE'])),
  (r) => ordered('BLMOVE', list(r), list(r), r.pick(['LEFT', 'RIGHT']), r.pick(['LEFT', 'UP']), r.pick(['0', '-1'])),
  (r) => ordered('BRPOPLPUSH', list(r), list(r), r.pick(['0', '0', 'x'])),
  (r) => ordered(r.pick(['BZPOPMIN', 'BZPOPMAX']), `z:${r.below(6)}`, list(r), `z:${r.below(6)}`, '0'),
  (r) => ordered('BZMPOP', '0', '2', `z:${r.below(6)}`, `z:${r.below(6)}`, 'MIN'),
  (r) => ordered('MSET', `s:${r.below(6)}`, '1', `s:${r.below(6)}`, '2'),
  (r) => ordered('MGET', `s:${r.below(6)}`, `e:${r.below(6)}`, `s:${r.below(6)}`),
  (r) => ordered('DEL', list(r), `s:${r.below(6)}`),
  (r) => ordered('SELECT', r.pick(['0', '1', '99'])),
  () => ordered('PING'),
  () => ordered('DBSIZE'),
  (r) => ordered('CLIENT', 'SETNAME', `name${r.below(9)}`),
  () => ordered('CLIENT', 'GETNAME'),
  (r) => (r.below(20) === 0 ? ordered('FLUSHDB') : ordered('ECHO', 'text')),
  (r) => (r.below(20) === 0 ? ordered('NOSUCH') : ordered('GET', `s:${r.below(6)}`)),
];

const list = (random: Random): string => `l:${random.below(6)}`;
const lists = (random: Random): string[] => Array.from({ length: 1 + random.below(3) }, () => list(random));

/** Commands in front of MULTI, and those behind it. */
function transaction(random: Random): { before: string[][]; queued: RandomCommand[]; end: string } {
  const before: string[][] = [];
  if (random.chance(25)) before.push(['WATCH', ...lists(random)]);
  if (random.chance(10)) before.push(['WATCH', `s:${random.below(6)}`, `e:${random.below(6)}`]);
  if (random.chance(15)) before.push(['RPUSH', list(random), 'changed']);
  const queued = Array.from({ length: random.below(9) }, () =>
    random.pick([...COMMANDS, (r: Random) => r.pick(FURTHER)(r)])(random),
  );
  return { before, queued, end: random.chance(5) ? 'DISCARD' : 'EXEC' };
}

it(`${STEPS} random transactions over nodes are answered as a bare Redis answers them`, {
  timeout: 60_000 + STEPS * 20,
}, async () => {
  const [nodes, bare] = await Promise.all([startRedises(3), startRedis()]);
  const proxy = await startRingproxy({ nodes });
  const clients = await Promise.all([proxy, bare].map(({ port }) => RawClient.connect(port)));
  const random = new Random(SEED);
  const said: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    if (step % ROUND === 0) {
      said.length = 0;
      const version = random.pick(['2', '3']);
      for (const client of clients) await client.pipeline([['FLUSHALL'], ['SELECT', '0'], ['HELLO', version]]);
    }
    const { before, queued, end } = transaction(random);
    const commands = [...before, ['MULTI'], ...queued.map(({ words }) => words), [end], ['ECHO', 'behind']];
    said.push(...commands.map((words) => words.join(' ')));
    const [ours = [], theirs = []] = await Promise.all(clients.map((client) => client.pipeline(commands)));
    const at = commands.length - 2;
    const all = [...ours.keys()].filter((i) => i !== at);
    const why = said.join('\n');
    expect(
      all.map((i) => shown(ours[i] as Buffer, false)),
      why,
    ).toEqual(all.map((i) => shown(theirs[i] as Buffer, false)));
    expect(answers(ours[at] as Buffer, queued), why).toEqual(answers(theirs[at] as Buffer, queued));
    if (step % ROUND !== ROUND - 1) continue;
    for (const database of ['1', '0']) {
      for (const client of clients) await client.command('SELECT', database);
      expect(await contents(clients[0] as RawClient), why).toEqual(await contents(clients[1] as RawClient));
    }
  }
  for (const node of nodes) expect(await node.client().keys('__ringproxy__*')).toEqual([]);
});

/** Of EXEC: each by itself, sets without their order. */
function answers(reply: Buffer, queued: readonly RandomCommand[]): string[] {
  if (reply.toString('latin1', 0, 1) !== '*' || reply.toString('latin1', 1, 2) === '-')
    return [reply.toString('latin1')];
  return elementsIn(reply).map((one, i) => shown(one, queued[i]?.isUnordered === true));
}
