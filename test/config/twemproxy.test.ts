import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { importTwemproxy } from '../../src/config/twemproxy.js';

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
  distribution: modula
  redis: true
  servers: []
`;

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
  });

  it.each([
    ['no pool is chosen', undefined, 'the file has 2 pools'],
    ['it is not there', 'gamma', 'the file has no pool gamma'],
    ['it has no ring', 'beta', 'the distribution modula, which has no ring'],
  ])('is refused when %s', (_why, name, message) => {
    expect(() => importTwemproxy(POOLS, name)).toThrow(message);
  });

  it('is refused when the file is something else', () => {
    expect(() => importTwemproxy('just text')).toThrow('not a nutcracker.yml');
  });
});
