import { describe, expect, it } from 'vitest';
import {
  clip,
  formatBytes,
  formatCount,
  formatDuration,
  formatName,
  formatPercent,
  formatSeconds,
  formatTable,
  numbers,
  wrap,
} from '../../cli/format.js';

describe('numbers', () => {
  it('are for people', () => {
    expect([null, 0, 1023, 1024, 1536, 1024 ** 2, 5 * 1024 ** 4].map(formatBytes)).toEqual([
      '-',
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.5 KiB',
      '1.0 MiB',
      '5.0 TiB',
    ]);
    expect([null, 0, 1234567].map(formatCount)).toEqual(['-', '0', '1,234,567']);
    expect([0, 0.3333, 1].map(formatPercent)).toEqual(['0.0 %', '33.3 %', '100.0 %']);
    expect([null, 0.00025, 0.0025, 0.25, 2.5].map(formatSeconds)).toEqual([
      '-',
      '250 µs',
      '2.50 ms',
      '250 ms',
      '2.5 s',
    ]);
    expect([5.9, 61, 3661, 90_061].map(formatDuration)).toEqual(['5 s', '1 min 1 s', '1 h 1 min', '1 d 1 h']);
  });
});

describe('names', () => {
  it('cannot steer the terminal', () => {
    expect(formatName('user:1 ümläut')).toBe('user:1 ümläut');
    expect(formatName('a\x1b[31mb\nc\x7f\x9b')).toBe('"a\\u001b[31mb\\nc\\u007f\\u009b"');
  });
});

describe('tables', () => {
  it('have columns two spaces apart, and nothing behind the last one', () => {
    expect(
      formatTable(
        ['NODE', 'KEYS'],
        [
          ['a', '1'],
          ['longer', '22'],
        ],
      ),
    ).toBe('NODE    KEYS\na       1\nlonger  22');
    expect(formatTable(['NODE'], [])).toBe('NODE');
  });

  it('have numbers to the right', () => {
    const rows = [
      ['a', '1', 'x'],
      ['b', '1,234', 'y'],
    ];
    expect(formatTable(['NODE', numbers('KEYS'), 'BY'], rows)).toBe('NODE   KEYS  BY\na         1  x\nb     1,234  y');
  });
});

describe('long texts', () => {
  it('are cut in the middle, or broken at spaces', () => {
    expect([clip('short', 5), clip('cache-node-01', 8)]).toEqual(['short', 'cach…-01']);
    expect(wrap('one two\nthree four', 9)).toEqual(['one two', 'three', 'four']);
    expect(wrap('unbroken', 3)).toEqual(['unbroken']);
  });
});
