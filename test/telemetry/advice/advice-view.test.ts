import { expect, it } from 'vitest';
import { ApartKeysTable } from '../../../src/proxy/measure/apart/apart-keys.js';
import { adviceView } from '../../../src/telemetry/advice/advice-view.js';
import { apartKeysFrom } from '../../../src/telemetry/advice/wire.js';

const EVALSHA = { name: 'evalsha', route: 'owner' } as const;
const SUNION = { name: 'sunion', route: 'owner' } as const;
const MGET = { name: 'mget', route: 'split' } as const;
const RING = { hashTag: '{}', hashTags: [] };

/** What is proposed for commands with these keys, each of which is refused. */
function proposed(
  commands: readonly (readonly string[])[],
  ring: typeof RING | { hashTag: string; hashTags: string[] } = RING,
): readonly string[] {
  const table = new ApartKeysTable();
  for (const keys of commands)
    table.note(
      EVALSHA,
      keys.map((key) => Buffer.from(key).toString('latin1')),
      1,
      true,
    );
  return adviceView(table.rows(), 20, ring, []).hashTags;
}

it.each([
  [[['bull:1:wait', 'bull:1:active']], ['bull:{*}:']],
  // Of one queue nobody knows which part of the name tells queues apart.
  [[['bull:mail:wait', 'bull:mail:active']], ['bull:{mail}:']],
  [
    [
      ['bull:mail:wait', 'bull:mail:active'],
      ['bull:paint:wait', 'bull:paint:active'],
    ],
    ['bull:{*}:'],
  ],
  [
    [
      ['cart:alice', 'orders:alice'],
      ['cart:bob', 'orders:bob'],
    ],
    ['orders:{*}', 'cart:{*}'],
  ],
  // The one with an ending stands in front: otherwise it would never count.
  [[['user:1', 'user:1:cart']], ['user:{*}:', 'user:{*}']],
  [[['b_1_settings', 'b_1_running']], ['b_{*}_']],
  [[['resque:queue', 'resque:worker']], ['{resque}:']],
  [[['queue', 'queue:low']], ['{queue}:', '{queue}']],
  [[['maß:1:ä', 'maß:1:ö']], ['maß:{*}:']],
  // Every key of the ring would go by its first part.
  [[['42:cart', '42:orders']], []],
  // What stands in front of the tag differs from command to command.
  [[['eu1:user:7:a', 'eu1:user:7:b']], []],
  [[['a', 'b']], []],
])('scripts with the keys %j are proposed %j', (commands, patterns) => {
  expect(proposed(commands)).toEqual(patterns);
});

it('patterns that the ring has stay in front, and alone they are no proposal', () => {
  const ring = { hashTag: '{}', hashTags: ['{resque:}'] };
  expect(proposed([['bull:1:wait', 'bull:1:active']], ring)).toEqual(['{resque:}', 'bull:{*}:']);
  expect(proposed([['a', 'b']], ring)).toEqual([]);
});

it('what runs is not brought to one node as a whole, nor what is better off in parts', () => {
  const table = new ApartKeysTable();
  table.note(SUNION, ['page:1', 'page:2'], 5);
  table.note(MGET, ['item:1', 'item:2'], 4);
  table.note(SUNION, ['user:1:likes', 'user:1:follows'], 3);
  const view = adviceView(table.rows(), 20, RING, [{ proxy: 'p2', why: 'it is away' }]);
  expect(view).toMatchObject({
    commands: 12,
    refused: 0,
    hashTags: ['user:{*}:'],
    missing: [{ proxy: 'p2', why: 'it is away' }],
    advice: [
      { command: 'SUNION', patterns: ['{page}:'], scope: 'prefix' },
      { command: 'MGET', patterns: null, tagged: null },
      { command: 'SUNION', patterns: ['user:{*}:'], scope: 'value' },
    ],
  });
});

it('is told among proxies as it is', () => {
  const table = new ApartKeysTable();
  table.note(EVALSHA, ['bull:\xff:wait', 'bull:\xff:active'], 1, true);
  table.note(MGET, ['a', 'b'], 64);
  const rows = table.rows();
  expect(apartKeysFrom(JSON.parse(JSON.stringify(rows)))).toEqual(rows);
  expect(adviceView(rows, 20, RING, []).hashTags).toEqual([]);
  expect(apartKeysFrom([{ command: 'get' }])).toBeNull();
});
