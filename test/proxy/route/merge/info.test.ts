import { expect, it } from 'vitest';
import { mergeInfoTexts } from '../../../../src/proxy/route/merge/info.js';

const merged = (field: string, ...values: string[]): string =>
  /:(.*)\r/.exec(mergeInfoTexts(values.map((value) => `# Section\r\n${field}:${value}\r\n`)))?.[1] ?? '';

it.each([
  ['expired_keys', ['1', '2', '3'], '6'],
  ['used_cpu_sys', ['0.500000', '0.500000'], '1.000000'],
  ['instantaneous_input_kbps', ['0.02', '5.98'], '6.00'],
  ['aof_rewrite_in_progress', ['0', '1', '0'], '1'],
  ['pubsub_channels', ['2', '2', '2'], '2'],
  ['rdb_last_save_time', ['1795632171', '1795632170'], '1795632170'],
  ['rdb_last_bgsave_status', ['ok', 'err', 'ok'], 'err'],
  ['redis_version', ['7.0.15', '7.2.0'], '7.0.15'],
  ['db0', ['keys=1,expires=0,avg_ttl=0', 'keys=2,expires=1,avg_ttl=5'], 'keys=3,expires=1,avg_ttl=5'],
])('%s of %j is %s', (field, values, expected) => {
  expect(merged(field, ...values)).toBe(expected);
});
