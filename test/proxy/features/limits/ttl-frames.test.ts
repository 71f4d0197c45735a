import { describe, expect, it } from 'vitest';
import { type TtlOption, ttlFrame } from '../../../../src/proxy/features/limits/ttl-frames.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedis } from '../../../support/redis-process.js';

describe('what is sent behind a command', () => {
  it('gives a time to live to a key that has none or a longer one, with PEXPIRE as with a script', async () => {
    const redis = await startRedis();
    const client = await RawClient.connect(redis.port);
    const keys = ['gone', 'none', 'short', 'long', 'none'.repeat(1000)];
    const ttlsAfter = async (option: TtlOption, isNew: boolean): Promise<string[]> => {
      await client.command('FLUSHALL');
      for (const key of keys.slice(1)) await client.command('SET', key, 'v');
      await client.command('PEXPIRE', 'short', '100000');
      await client.command('PEXPIRE', 'long', '900000');
      const found: string[] = [];
      for (const key of keys) {
        const { bytes, length } = ttlFrame(Buffer.from(`x${key}`), 1, key.length + 1, 500_000, option, isNew);
        client.send(Buffer.from(bytes.subarray(0, length)));
        expect(String((await client.replies(1))[0])).toMatch(/^[:$]-?\d\r\n$/);
        const left = Number((await client.text('PTTL', key)).slice(1));
        found.push(left < 0 ? String(left) : `${Math.ceil(left / 100_000)}00 s`);
      }
      return found;
    };
    for (const isNew of [true, false]) {
      expect(await ttlsAfter('NX', isNew)).toEqual(['-2', '500 s', '100 s', '900 s', '500 s']);
      expect(await ttlsAfter('LT', isNew)).toEqual(['-2', '500 s', '100 s', '500 s', '500 s']);
    }
  });
});
