import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.js';

const folder = mkdtempSync(join(tmpdir(), 'ringproxy-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(folder, 'ringproxy.yaml');
  writeFileSync(path, text);
  return path;
}

function mistakes(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(folder, '');
    throw error;
  }
  throw new Error('no mistake was found');
}

describe('precedence', () => {
  it('is flag, environment, file, default', () => {
    const path = file('listen: 127.0.0.1:1\nadmin: 127.0.0.1:2\nrequest-timeout: 3s\n');
    const config = loadConfig({
      file: path,
      env: { RINGPROXY_LISTEN: '127.0.0.1:10', RINGPROXY_ADMIN: '127.0.0.1:20', RINGPROXY_RING_VNODES: '160' },
      flags: { listen: '127.0.0.1:100' },
    });
    expect(config.listen).toBe('127.0.0.1:100');
    expect(config.admin).toBe('127.0.0.1:20');
    expect(config.requestTimeout).toBe(3000);
    expect(config.vnodes).toBe(160);
    expect(config.maxClients).toBe(10_000);
    expect(loadConfig({ env: { RINGPROXY_ADMIN: 'http://127.0.0.1:7/' } }).admin).toBe('127.0.0.1:7');
  });
});

describe('values', () => {
  it('have units', () => {
    const config = loadConfig({
      file: file('connect-timeout: 250ms\nidle-timeout: 2m\nclient-output-limit: 32mb\nmax-bulk-length: 65536\n'),
    });
    expect(config.connectTimeout).toBe(250);
    expect(config.idleTimeout).toBe(120_000);
    expect(config.clientOutputLimit).toBe(32 * 1024 * 1024);
    expect(config.maxBulkLength).toBe(65_536);
  });

  it('nodes are given as text or as fields', () => {
    const config = loadConfig({
      file: file(
        'nodes:\n  - a=10.0.0.1:6379*2\n  - 10.0.0.2:6379\n  - {name: c, address: "[::1]:7000", password: x, weight: 5}\n',
      ),
    });
    expect(config.nodes).toMatchObject([
      { name: 'a', address: '10.0.0.1:6379', weight: 2 },
      { name: '10.0.0.2:6379', address: '10.0.0.2:6379', weight: 1 },
      { name: 'c', address: '[::1]:7000', weight: 5, password: 'x' },
    ]);
    expect(loadConfig({ env: { RINGPROXY_NODES: 'a=h:1, b=h:2' } }).nodes).toHaveLength(2);
  });

  it('passwords of nodes stand in one place each, which may be a file', () => {
    const secret = join(folder, 'secret');
    const load = (text: string) => loadConfig({ file: file(text.replaceAll('SECRET', secret)) });
    writeFileSync(secret, 'geheim\n');
    expect(load('nodes: [{ address: "h:1", password-file: SECRET }]\n').nodes).toMatchObject([{ password: 'geheim' }]);
    expect(mistakes(() => load('node-password: x\nnode-password-file: SECRET\n'))).toContain(
      ':1 node-password: stands in node-password-file, too: give one of the two',
    );
    expect(
      mistakes(() => load('nodes:\n  - { name: a, address: "h:1", password: x, password-file: SECRET }\n')),
    ).toContain(':2 nodes[0]: password of node a stands in password-file, too: give one of the two');
    writeFileSync(secret, '\ngeheim\n');
    expect(
      mistakes(() =>
        load('node-password-file: SECRET\nnodes:\n  - { name: a, address: "h:1", password-file: SECRET }\n'),
      ),
    ).toMatch(
      /3 nodes\[0\]: password-file of node a: its first line is empty.*\n.*1 node-password-file: its first line is empty/,
    );
    expect(mistakes(() => load('nodes:\n  - { address: "h:1", password-file: /does/not/exist }\n'))).toContain(
      '/does/not/exist cannot be read: ENOENT',
    );
  });

  it('nodes say whether they are spoken to by TLS, and with which files', () => {
    const nodes = (text: string) => loadConfig({ file: file(`nodes:\n${text}\n`) }).nodes;
    expect(nodes('  - a=rediss://h:1*2\n  - redis://h:2\n  - h:3')).toMatchObject([
      { name: 'a', address: 'h:1', weight: 2, tls: true },
      { name: 'h:2', address: 'h:2', tls: false },
      { name: 'h:3', tls: undefined },
    ]);
    expect(
      nodes(
        '  - { address: "h:1", tls: on, tls-server-name: s, peer-address: "redis://p:1" }\n  - { address: "rediss://h:2", tls: yes }',
      ),
    ).toMatchObject([
      { tls: true, tlsServerName: 's', peerAddress: 'p:1', peerTls: false },
      { address: 'h:2', tls: true },
    ]);
    expect(mistakes(() => nodes('  - { address: "rediss://h:1", tls: off }'))).toContain('say two things');
    expect(mistakes(() => nodes('  - { address: /run/redis.sock, tls: on }'))).toContain(
      'Unix socket is not spoken to by TLS',
    );
    expect(mistakes(() => nodes('  - { address: "h:1", tls-ca: /nowhere/ca.pem }'))).toMatch(
      /nodes\[0\]\.tls-ca: \/nowhere\/ca\.pem cannot be read/,
    );
    const flags = { nodeTlsCert: fileURLToPath(import.meta.url) };
    expect(mistakes(() => loadConfig({ flags }))).toMatch(/node-tls-cert: .*holds no certificate in PEM/);
  });
});

describe('mistakes', () => {
  it('are all told at once, with their place', () => {
    const path = file(
      'lisen: x\nadmin: 0.0.0.0:6390\nworkers: 99\nring:\n  hash: sha1\n  hash-tag: "{"\nrequest-timeout: soon\nnodes:\n  - a=h:1\n  - a=h:2\n  - b=h:99999\n',
    );
    expect(
      mistakes(() => loadConfig({ file: path, env: { RINGPROXY_MAX_CLIENTS: '-1' }, flags: { logLevel: 'loud' } })),
    ).toMatchInlineSnapshot(`
        "the configuration has 9 mistakes:
          /ringproxy.yaml:1 lisen: is not a setting: did you mean listen?
          /ringproxy.yaml:11 nodes[2]: 'h:99999' is not an address: expected HOST:PORT
          /ringproxy.yaml:3 workers: expected a whole number from 1 to 64, or auto
          --log-level: expected one of trace, debug, info, warn, error, fatal, silent
          /ringproxy.yaml:5 ring.hash: expected one of murmur3, fnv1a_64, fnv1_64, fnv1a_32, fnv1_32, md5, crc16, crc32, crc32a, hsieh, murmur, jenkins, one_at_a_time
          /ringproxy.yaml:6 ring.hash-tag: expected two characters, such as {}, or an empty text
          /ringproxy.yaml:7 request-timeout: expected a duration from 10ms to 1h, such as 5s
          RINGPROXY_MAX_CLIENTS: expected a whole number from 1 to 1000000
          /ringproxy.yaml:2 admin: 0.0.0.0:6390 can be reached from other machines: set admin-token, or use a loopback address"
      `);
  });

  it('of hash tag patterns are told one by one', () => {
    const path = file(
      'ring:\n  hash-tags:\n    - bull:{*}:\n    - {resque:}\n    - "b_{*"\n    - "bull:{*}:"\n    - "{q}"\n    - "{q:}"\n',
    );
    expect(mistakes(() => loadConfig({ file: path }))).toMatchInlineSnapshot(`
      "the configuration has 3 mistakes:
        /ringproxy.yaml:3 ring.hash-tags[0]: expected a list of patterns in quotes, such as "bull:{*}:" or "{resque:}"
        /ringproxy.yaml:4 ring.hash-tags[1]: expected a list of patterns in quotes, such as "bull:{*}:" or "{resque:}"
        /ringproxy.yaml:5 ring.hash-tags[2]: 'b_{*' has a brace that is not closed, or not opened"
    `);
    const env = { RINGPROXY_RING_HASH_TAGS: 'b:{*}: {q:} {q:}', RINGPROXY_RING_HASH_TAG: '::' };
    expect(mistakes(() => loadConfig({ env }))).toMatchInlineSnapshot(`
      "the configuration has 2 mistakes:
        RINGPROXY_RING_HASH_TAGS[0]: 'b:{*}:' never counts: its keys have a hash tag (::) of their own
        RINGPROXY_RING_HASH_TAGS[2]: '{q:}' never counts: '{q:}' stands first and matches its keys"
    `);
    expect(loadConfig({ env: { RINGPROXY_RING_HASH_TAGS: ' bull:{*}:  {q:} ' } }).hashTags).toEqual([
      'bull:{*}:',
      '{q:}',
    ]);
    expect(loadConfig({}).hashTags).toEqual([]);
  });

  it('a name or an address twice is one', () => {
    expect(mistakes(() => loadConfig({ flags: { nodes: ['a=h:1', 'a=h:2', 'b=h:2'] } }))).toMatchInlineSnapshot(`
      "the configuration has 2 mistakes:
        --node[1]: node a is named twice
        --node[2]: h:2 is the address of a, too"
    `);
  });

  it('what belongs together is looked at together', () => {
    expect(mistakes(() => loadConfig({ flags: { listen: '127.0.0.1:6390', admin: '127.0.0.1:6390' } }))).toContain(
      '127.0.0.1:6390 is where clients connect: give one of the two another port',
    );
    expect(() => loadConfig({ flags: { listen: '127.0.0.1:0', admin: '127.0.0.1:0' } })).not.toThrow();
    const nodes = Array.from({ length: 1025 }, (_, i) => `n${i}=127.0.0.1:${7000 + i}`);
    expect(mistakes(() => loadConfig({ flags: { nodes } }))).toContain('1025 nodes: a ring has at most 1024');
    const heavy = ['a=127.0.0.1:1*200000', 'b=127.0.0.1:2*100000'];
    expect(mistakes(() => loadConfig({ flags: { nodes: heavy, distribution: 'modula' } }))).toContain(
      '--node[1]: all weights together are 300000',
    );
  });

  it('an address with a login is no address, and what it was is not told', () => {
    const nodes = [
      'a=redis://u:secret@h:1',
      'b=secret@h:1',
      'c=sentinel://u:secret@h:1/m',
      { address: 'rediss://:secret@h:1' },
    ];
    const flags = { listen: 'u:secret@h:1', advertiseAdmin: 'http://u:secret@h:1', nodes };
    const told = mistakes(() => loadConfig({ flags }));
    expect(told).not.toContain('secret');
    expect(told.match(/\*\*\*@/g)).toHaveLength(6);
    expect(told).toContain(
      "'redis://***@h:1' is not an address: expected HOST:PORT, and username and password beside it",
    );
  });

  it('an address with a slip is not taken for none', () => {
    const settings = { listen: 'off', 'tls-listen': '0.0.0.0:99999', 'tls-cert': '/none.pem', 'tls-key': '/none.key' };
    expect(mistakes(() => loadConfig({ settings }))).toMatchInlineSnapshot(`
      "the configuration has 3 mistakes:
        tls-listen: '0.0.0.0:99999' is not an address: expected HOST:PORT or off
        tls-cert: /none.pem cannot be read: ENOENT: no such file or directory, open '/none.pem'
        tls-key: /none.key cannot be read: ENOENT: no such file or directory, open '/none.key'"
    `);
    expect(mistakes(() => loadConfig({ settings: { listen: '127.0.0.1:6390', admin: 'nowhere' } }))).toContain(
      'has 1 mistake:',
    );
  });

  // What every object has is neither a unit nor a number.
  it.each(['5constructor', '5__proto__', '5tostring', '1e309', 'NaN', '-1'])(
    '%s is no duration and no size',
    (text) => {
      const refused = mistakes(() =>
        loadConfig({ env: { RINGPROXY_REQUEST_TIMEOUT: text, RINGPROXY_SCRIPT_CACHE: text } }),
      );
      expect(refused).toContain('expected a duration');
      expect(refused).toContain('expected a size');
    },
  );

  it('a file that is missing, or no YAML, is said to be that', () => {
    expect(mistakes(() => loadConfig({ file: join(folder, 'none.yaml') }))).toContain('cannot be read: ENOENT');
    expect(mistakes(() => loadConfig({ file: file('listen: [1\n') }))).toMatch(/ringproxy\.yaml:\d+: /);
    expect(mistakes(() => loadConfig({ file: file('- 1\n- 2\n') }))).toContain('expected settings, such as listen');
  });
});
