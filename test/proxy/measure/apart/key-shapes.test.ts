import { describe, expect, it } from 'vitest';
import { shapesOf } from '../../../../src/proxy/measure/apart/key-shapes.js';

describe('the keys of one command', () => {
  it.each([
    // What differs from command to command and is the same in all keys takes the tag.
    [
      ['user:42:cart', 'user:42:orders'],
      ['user:*:cart', 'user:*:orders'],
      ['user:{*}:cart', 'user:{*}:orders'],
      'value',
    ],
    [['cart:alice', 'orders:alice'], ['cart:*', 'orders:*'], ['cart:{*}', 'orders:{*}'], 'value'],
    [
      ['s:0f8fad5b-d9cb-469f-a165-70867728950e:a', 't:0f8fad5b-d9cb-469f-a165-70867728950e'],
      ['s:*:a', 't:*'],
      ['s:{*}:a', 't:{*}'],
      'value',
    ],
    // Otherwise the beginning, which puts all such keys on one node.
    [['queue:default', 'queue:low'], ['queue:default', 'queue:low'], ['{queue}:default', '{queue}:low'], 'prefix'],
    [['page:1', 'page:2', 'page:3'], ['page:*'], ['{page}:*'], 'prefix'],
    [['rank1', 'rank2'], ['rank*'], null, null],
    // By words where there is nothing else.
    [
      ['b_api_settings', 'b_api_running'],
      ['b_*_settings', 'b_*_running'],
      ['b_{*}_settings', 'b_{*}_running'],
      'value',
    ],
    [['a', 'b'], ['a', 'b'], null, null],
    // They have tags already, of which each has another one.
    [['{a}:1', '{b}:1'], ['{a}:*', '{b}:*'], null, null],
  ])('%j', (keys, shapes, tagged, kind) => {
    expect(shapesOf(keys)).toMatchObject({ shapes, tagged, kind });
  });

  it.each([
    [['bull:mail:wait', 'bull:mail:active'], 'mail', false],
    [['user:42:cart', 'user:42:orders'], '42', true],
    [['queue:default', 'queue:low'], null, false],
    [['a', 'b'], null, false],
  ])('%j have %j in common, which varies: %j', (keys, value, varies) => {
    expect(shapesOf(keys)).toMatchObject({ value, varies });
  });

  it('may be many, and long', () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => `${'x'.repeat(10_000)}:${i}`);
    const { shapes } = shapesOf(keys);
    expect(shapes).toEqual(['x'.repeat(128)]);
  });
});
