import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatName, formatPercent, formatSeconds, formatTable } from '../../cli/format.js';

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
});
