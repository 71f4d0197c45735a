/** The sketch against a full count, and what clients could do to it. */
import { describe, expect, it } from 'vitest';
import { Zipf } from '../../../../cli/demo/caching/zipf.js';
import { request } from '../../../../src/resp/encode.js';
import { Stage, seeded } from './stage.js';

const KEYS = 100_000;
const PER_SECOND = 50_000;

/** GETs of Zipf's keys. @returns how often each rank was sent */
function sendSkewed(stage: Stage, exponent: number, commands: number): Float64Array {
  const zipf = new Zipf(KEYS, exponent, seeded(7));
  const frames = new Map<number, Buffer>();
  const counts = new Float64Array(KEYS);
  for (let i = 0; i < commands; i++) {
    const rank = zipf.draw();
    (counts[rank] as number)++;
    let frame = frames.get(rank);
    if (frame === undefined) {
      frame = request(['GET', `key:${rank}`]);
      frames.set(rank, frame);
    }
    stage.sendFrame(frame);
  }
  return counts;
}

function hottestOf(stage: Stage, count: number): string[] {
  return stage.hotKeys
    .read(stage.now)
    .keys.slice(0, count)
    .map(({ key }) => key.toString());
}

describe('the keys that are used most', () => {
  it.each([0.99, 1.2])('are found among 100,000 of Zipf %f, of a part of the commands', (exponent) => {
    const stage = new Stage(PER_SECOND);
    const counts = sendSkewed(stage, exponent, 1_000_000);
    // The ranks around the 20th are nearly equally often sent: neither of them is more right than the other.
    const least = [...counts].sort((a, b) => b - a)[19] as number;
    const found = hottestOf(stage, 20).map((key) => counts[Number(key.slice('key:'.length))] as number);
    expect(found).toHaveLength(20);
    expect(found.filter((count) => count >= 0.9 * least).length).toBeGreaterThanOrEqual(19);
    expect(stage.draws).toBeLessThan(80_000);
    const { keys, perSecond, sampled } = stage.hotKeys.read(stage.now);
    expect(perSecond / PER_SECOND).toBeCloseTo(1, 1);
    const share = (keys[0]?.count ?? 0) / sampled;
    expect(share / ((counts[0] as number) / 1_000_000)).toBeCloseTo(1, 1);
  });

  it('are found in pipelines that are always the same', () => {
    const stage = new Stage(PER_SECOND);
    // Each 16th command is another one: who looks at each 16th would see one kind alone.
    for (let i = 0; i < 400_000; i++) {
      const place = i % 16;
      stage.send(place < 2 ? ['GET', `hot:${place}`] : ['GET', `cold:${i}`]);
    }
    expect(hottestOf(stage, 2).sort()).toEqual(['hot:0', 'hot:1']);
    const { keys, sampled } = stage.hotKeys.read(stage.now);
    for (const { count } of keys.slice(0, 2)) expect((count / sampled) * 16).toBeCloseTo(1, 0);
  });

  it('are not hot for ever', () => {
    const stage = new Stage(1000);
    for (let i = 0; i < 5000; i++) stage.send(['GET', 'before']);
    expect(hottestOf(stage, 1)).toEqual(['before']);
    for (let i = 0; i < 30_000; i++) stage.send(['GET', 'now']);
    expect(hottestOf(stage, 1)).toEqual(['now']);
    stage.idle(3_600_000);
    expect(stage.hotKeys.read(stage.now)).toMatchObject({ keys: [], sampled: 0, perSecond: 0 });
    for (let i = 0; i < 20; i++) stage.send(['GET', 'again']);
    expect(hottestOf(stage, 2)).toEqual(['again']);
  });

  it('are told apart by their databases, and say how many uses only read them', () => {
    const stage = new Stage(100);
    for (let i = 0; i < 30; i++) {
      stage.send(['GET', 'k']);
      if (i % 3 === 0) stage.send(['SET', 'k', 'v'], 1);
      if (i % 3 === 1) stage.send(['object', 'encoding', 'k'], 1);
    }
    const { keys } = stage.hotKeys.read(stage.now);
    expect(keys.map(({ database, count, reads }) => [database, Math.round(count), reads / count])).toEqual([
      [0, 29, 1],
      [1, 20, expect.closeTo(0.5, 1)],
    ]);
  });

  it('count each key of a command of several, and in proportion where there are very many', () => {
    const stage = new Stage(100);
    const many = Array.from({ length: 1000 }, (_, index) => `many:${index}`);
    for (let i = 0; i < 20; i++) {
      stage.send(['MGET', 'a', 'b', 'a']);
      stage.send(['EVAL', 'return 1', '1', 'b', 'argument']);
      stage.send(['MSET', ...many.flatMap((key) => [key, 'v'])]);
      stage.send(['PING']);
      stage.send(['GET', '__ringproxy__x']);
    }
    const { keys, perSecond, sampled } = stage.hotKeys.read(stage.now);
    const counted = new Map(keys.map(({ key, count }) => [key.toString(), count]));
    expect(counted.get('a')).toBeGreaterThan(38);
    expect(counted.get('b')).toBeGreaterThan(38);
    expect(counted.has('argument')).toBe(false);
    expect([...counted.keys()].filter((key) => key.startsWith('__'))).toEqual([]);
    // 1,004 uses in five commands.
    expect(sampled / (20 * 1004)).toBeCloseTo(1, 1);
    expect(perSecond / (20 * 1004)).toBeCloseTo(1, 1);
  });
});

describe('what clients send', () => {
  it('does not make it grow, and hides nothing: a million keys, and long ones', () => {
    const stage = new Stage(200_000);
    const long = Buffer.alloc(10_000_000, 'x');
    const longFrame = request(['GET', long]);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1_000_000; i++) {
      stage.send(['GET', i % 50 === 0 ? 'hot' : `key:${i}`]);
      if (i % 2000 === 0) stage.sendFrame(longFrame);
    }
    const { keys } = stage.hotKeys.read(stage.now);
    expect(keys[0]?.key.toString()).toBe('hot');
    expect(keys.length).toBeLessThanOrEqual(256);
    expect(Math.max(...keys.map(({ key }) => key.length))).toBeLessThanOrEqual(512);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
    // How often it is looked at does not grow with what comes.
    expect(stage.draws).toBeLessThan(25_000);
  });

  it('may be any bytes; long keys are told apart by their lengths and first bytes', () => {
    const stage = new Stage(100);
    const binary = Buffer.from([0, 255, 13, 10, 128]);
    const long = Buffer.alloc(600, 'a');
    for (let i = 0; i < 10; i++) {
      stage.send(['GET', binary]);
      stage.send(['GET', long]);
      stage.send(['GET', Buffer.concat([long, long])]);
      stage.send(['GET', '']);
    }
    const { keys } = stage.hotKeys.read(stage.now);
    expect(keys.map(({ bytes }) => bytes).sort((a, b) => a - b)).toEqual([0, 5, 600, 1200]);
    expect(keys.find(({ bytes }) => bytes === 5)?.key).toEqual(binary);
    expect(keys.find(({ bytes }) => bytes === 600)?.key).toHaveLength(512);
  });
});
