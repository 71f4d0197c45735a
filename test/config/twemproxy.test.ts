import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/settings.js';
import { decodeText } from '../../src/config/twemproxy/file.js';
import { importTwemproxy } from '../../src/config/twemproxy.js';
import { tempFolder } from '../support/temp-folder.js';
import { FIVE_POOLS } from './nutcracker-samples.js';

const POOLS = `
alpha:
  listen: 127.0.0.1:22121
  hash: fnv1a_64
  hash_tag: "{}"
  distribution: ketama
  redis: true
  redis_auth: secret
  timeout: 400
  server_connections: 2
  auto_eject_hosts: true
  servers:
   - 127.0.0.1:6379:1 one
   - 127.0.0.1:11211:2
   - 10.0.0.1:6380:1
beta:
  listen: /tmp/beta.sock 0666
  hash: md5
  distribution: random
  redis: true
  servers:
   - 127.0.0.1:6379:1
   - 127.0.0.1:6380:1
`;

/** A pool with these further lines. */
function poolWith(lines: readonly string[], servers: readonly string[] = ['127.0.0.1:6379:1']): string {
  const all = [
    'pool:',
    '  listen: 127.0.0.1:22121',
    '  redis: true',
    ...lines.map((line) => `  ${line}`),
    '  servers:',
  ];
  return `${[...all, ...servers.map((server) => `   - ${server}`)].join('\n')}\n`;
}

/** What `serve` makes of the imported text. */
function imported(text: string, pool?: string): { config: Config; yaml: string; warnings: readonly string[] } {
  const { yaml, warnings } = importTwemproxy(text, pool);
  const file = join(tempFolder('twemproxy'), 'ringproxy.yaml');
  writeFileSync(file, yaml);
  return { config: loadConfig({ file }), yaml, warnings };
}

describe('a pool of nutcracker.yml', () => {
  it("becomes ringproxy's configuration, with the names that twemproxy hashes", () => {
    const { yaml, warnings } = importTwemproxy(POOLS, 'alpha');
    expect(parse(yaml)).toEqual({
      listen: '127.0.0.1:22121',
      password: 'secret',
      'node-password': 'secret',
      ring: { hash: 'fnv1a_64', distribution: 'ketama', 'hash-tag': '{}', vnodes: 160, weighting: 'total' },
      preconnect: false,
      'request-timeout': '400ms',
      'node-connections': 2,
      nodes: [
        { name: 'one', address: '127.0.0.1:6379', weight: 1 },
        { name: '127.0.0.1', address: '127.0.0.1:11211', weight: 2 },
        { name: '10.0.0.1:6380', address: '10.0.0.1:6380', weight: 1 },
      ],
    });
    expect(warnings).toEqual([expect.stringContaining('auto_eject_hosts is left out')]);
    expect(yaml).toMatch(/^# pool alpha of a nutcracker.yml\n# line 11: auto_eject_hosts is left out/);
  });

  it.each([
    ['no pool is chosen', undefined, 'the file has 2 pools'],
    ['it is not there', 'gamma', 'the file has no pool gamma'],
    ['its keys have no places', 'beta', 'line 19: the distribution random sends each command to any server'],
  ])('is refused when %s', (_why, name, message) => {
    expect(() => importTwemproxy(POOLS, name)).toThrow(message);
  });

  it('is refused when the file is something else', () => {
    expect(() => importTwemproxy('just text')).toThrow('not a nutcracker.yml');
    expect(() => importTwemproxy('')).toThrow('not a nutcracker.yml');
    expect(() => importTwemproxy('a: [')).toThrow(/not YAML:\n {2}line 1: /);
    expect(() => importTwemproxy('pool:\n  timeout: *x\n  servers:\n')).toThrow(/line 2: /);
    expect(() => decodeText(Buffer.from('pool: \xe4', 'latin1'))).toThrow('not UTF-8');
  });
});

/*
 * YAML took scalars for numbers and booleans: `redis_auth: 0123` became 123, and 20 digits lost the last ones.
 */
describe('a password stays what it is', () => {
  it.each(['0123', '12345678901234567890', '1e5', '0x10', 'true', '~', '.5', '1_000', 'null', '2026-01-31'])(
    '%s',
    (password) => {
      const { config } = imported(poolWith([`redis_auth: ${password}`]));
      expect([config.password, config.nodePassword]).toEqual([password, password]);
    },
  );

  it('also with quotes, line breaks, and at a length that would be folded', () => {
    const long = 'word '.repeat(60).trim();
    expect(imported(poolWith(['redis_auth: "a\\n# b"'])).config.password).toBe('a\n# b');
    expect(imported(poolWith([`redis_auth: ${long}`])).config.password).toBe(long);
  });
});

/*
 * These passed the import, and `serve` refused what had come of them.
 */
describe('what is beyond the range of serve', () => {
  it.each([
    ['client_connections: 0', { maxClients: 1_000_000 }, /line 4: client_connections 0 \(no limit\) becomes 1000000/],
    ['client_connections: 5000000', { maxClients: 1_000_000 }, /line 4: .* becomes 1000000/],
    ['server_connections: 100', { nodeConnections: 64 }, /line 4: server_connections 100 becomes 64/],
    ['timeout: 5', { requestTimeout: 10 }, /line 4: timeout 5 \(5ms\) becomes 10ms/],
    ['timeout: 0', { requestTimeout: 3_600_000 }, /line 4: timeout 0 \(no limit to twemproxy\) becomes 3600000ms/],
    ['timeout: 99999999', { requestTimeout: 3_600_000 }, /line 4: timeout 99999999/],
    ['redis_db: 20', { databases: 21 }, /line 4: redis_db 20 is left out: clients use SELECT 20/],
  ])('%s is brought within it, with a warning', (line, settings, warning) => {
    const { config, warnings, yaml } = imported(poolWith([line]));
    expect(config).toMatchObject(settings);
    expect(warnings).toEqual([expect.stringMatching(warning)]);
    expect(yaml).toContain(`# ${warnings[0]}\n`);
  });

  it('is taken as it is where serve has room for it: weights and long names', () => {
    const host = `${'h'.repeat(60)}.example.com`;
    const { config } = imported(poolWith([], [`${host}:6379:100000`, `127.0.0.1:6380:1 ${'n'.repeat(300)}`]));
    expect(config.nodes).toMatchObject([
      { name: `${host}:6379`, weight: 100_000 },
      { name: 'n'.repeat(300), weight: 1 },
    ]);
  });

  it.each([
    [
      'more nodes than a ring has',
      Array.from({ length: 1025 }, (_, i) => `127.0.0.1:${7000 + i}:1`),
      /line 1: .*1025 servers/,
    ],
    [
      'a weight beyond all bounds',
      ['127.0.0.1:1:1', '127.0.0.1:2:2000000'],
      /line 6: the weight of .* is more than 1000000/,
    ],
    [
      'one server under two names',
      ['127.0.0.1:1:1 a', '127.0.0.1:01:1 b'],
      /line 6: 127.0.0.1:1 is the server 'a', too/,
    ],
    ['two servers of one name', ['127.0.0.1:1:1 a', '127.0.0.1:2:1 a'], /line 6: two servers have the name 'a'/],
    ['a name that is not ASCII', ['127.0.0.1:1:1 é'], /line 5: the name 'é' is not one for a node/],
    ['a name that is empty', ['"127.0.0.1:1:1 "'], /line 5: a blank stands at the end/],
  ])('is refused with its line where it cannot be kept: %s', (_what, servers, message) => {
    expect(() => importTwemproxy(poolWith([], servers))).toThrow(message);
  });

  it('is refused with every line at once', () => {
    const text = poolWith(['timeout: soon', 'redis: maybe', 'hash: sha1'], ['nowhere']);
    expect(() => importTwemproxy(text)).toThrow(
      /line 4: timeout 'soon' is not a number\n {2}line 5: redis is there twice\n {2}line 6: twemproxy has no hash 'sha1'\n {2}line 8: 'nowhere' is not a server/,
    );
  });

  it('is refused where the weights of modula make too many slots', () => {
    const text = poolWith(['distribution: modula'], ['127.0.0.1:1:200000', '127.0.0.1:2:100000']);
    expect(() => importTwemproxy(text)).toThrow(/line 7: all weights together are 300000/);
  });
});

describe('servers', () => {
  it.each([
    // A path was taken for a host without a port.
    ['/tmp/redis_6380.sock:1', { name: '/tmp/redis_6380.sock:', address: '/tmp/redis_6380.sock', weight: 1 }],
    ['/tmp/redis.sock:2 one', { name: 'one', address: '/tmp/redis.sock', weight: 2 }],
    ['::1:6379:1', { name: '::1:6379', address: '[::1]:6379', weight: 1 }],
    ['127.0.0.1:06379:007', { name: '127.0.0.1:06379', address: '127.0.0.1:6379', weight: 7 }],
    ['127.0.0.1:011211:1', { name: '127.0.0.1', address: '127.0.0.1:11211', weight: 1 }],
    ['127.0.0.1:6379:1 a=b*2', { name: 'a=b*2', address: '127.0.0.1:6379', weight: 1 }],
  ])('%s has the name that twemproxy hashes', (server, node) => {
    expect(imported(poolWith([], [server])).config.nodes).toMatchObject([node]);
  });
});

describe('what is not twemproxy’s', () => {
  it.each(['protocol: redis', 'mode: sharded', 'sentinels:\n   - 127.0.0.1:26379:1', '<<: x', 'TIMEOUT: 5'])(
    'is refused with its line instead of vanishing: %s',
    (line) => {
      const name = line.split(':')[0] ?? '';
      expect(() => importTwemproxy(poolWith([line]))).toThrow(new RegExp(`line 4: '?${name}'? `));
    },
  );

  it('is no pool to choose', () => {
    const file = `global:\n  worker_processes: 4\n${POOLS}`;
    expect(() => importTwemproxy(file)).toThrow(
      expect.objectContaining({ hint: 'choose one with --pool: alpha, beta' }),
    );
    expect(importTwemproxy(file, 'alpha').warnings[0]).toMatch(/^line 1: 'global' is not a pool of twemproxy/);
    const nested = `global:\n  worker_processes: 4\npools:\n${POOLS.replace(/^(?=.)/gm, '  ')}`;
    expect(() => importTwemproxy(nested)).toThrow(/line 1: 'global' is not a pool[\s\S]*line 3: 'pools' is not a pool/);
  });
});

describe('several pools on one machine', () => {
  it('have an admin port each, whichever is imported when', () => {
    const admins = ['alpha', 'beta', 'gamma', 'delta', 'omega'].map((pool) => imported(FIVE_POOLS, pool).config.admin);
    expect(admins).toEqual([6390, 6391, 6392, 6393, 6394].map((port) => `127.0.0.1:${port}`));
  });

  it('pass over the ports that the file uses', () => {
    const text = FIVE_POOLS.replace('127.0.0.1:22121', '127.0.0.1:6390').replace(
      '127.0.0.1:6380:1',
      '127.0.0.1:6392:1',
    );
    expect(['alpha', 'beta', 'gamma'].map((pool) => imported(text, pool).config.admin)).toEqual(
      [6391, 6393, 6394].map((port) => `127.0.0.1:${port}`),
    );
  });

  it('have the one that is asked for', () => {
    expect(parse(importTwemproxy(FIVE_POOLS, 'beta', '127.0.0.1:7000').yaml)).toMatchObject({
      admin: '127.0.0.1:7000',
    });
  });
});
