/** The program as a person calls it: messages, tables, JSON, exit codes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { type Outcome, ringproxy } from './run.js';

let proxy: RingproxyProcess;
const onRing = (...args: string[]): Promise<Outcome> => ringproxy(args, { RINGPROXY_ADMIN: proxy.admin });

beforeAll(async () => {
  proxy = await startRingproxy({ nodes: await startRedises(2), allowLog: [/client:attack/] });
});

describe('what is called wrongly', () => {
  it.each([
    [['srve'], /unknown command 'srve'[\s\S]*Did you mean serve/],
    [['serve', '--lisen', 'x'], /unknown option '--lisen'[\s\S]*--listen/],
    [['ring', 'which'], /missing required argument 'key'/],
    [['ring', 'show', '--admin', 'nonsense'], /'nonsense' is not a URL/],
    [['serve'], /the ring has no nodes\n {2}name at least one with --node/],
    [['serve', '--node', 'a=x:0', '--workers', 'many'], /has 2 mistakes:[\s\S]*--node[\s\S]*--workers/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    [['demo', '--seconds', '1'], /expected 4 or more/],
  ])('%j ends with 2 and says why', async (args, message) => {
    const { code, err } = await ringproxy(args);
    expect(err).toMatch(message);
    expect(err).not.toContain('    at ');
    expect(code).toBe(2);
  });

  it('help and version end with 0', async () => {
    expect(await ringproxy(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('ring') });
    expect(await ringproxy(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('what cannot be done', () => {
  it('a port that is taken is named', async () => {
    const { code, err } = await ringproxy([
      'serve',
      '--node',
      'a=127.0.0.1:1',
      '--listen',
      proxy.listen,
      '--admin',
      'off',
      '--log-level',
      'silent',
    ]);
    expect(err).toBe(
      `ringproxy: cannot listen on ${proxy.listen} (listen): listen EADDRINUSE: address already in use ${proxy.listen}\n` +
        '  another process listens there: end it, or choose another address with --listen\n',
    );
    expect(code).toBe(1);
  });

  it('an admin API that is not there, or is something else, is told apart', async () => {
    expect(await ringproxy(['ring', 'show', '--admin', `http://127.0.0.1:${await freePort()}`])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/cannot be reached: nothing listens there\n {2}is ringproxy serve running\?/),
    });
    expect(await ringproxy(['stats', '--admin', `http://${proxy.listen}`])).toMatchObject({ code: 1 });
  });

  it('a refusal of the ring comes with what to do', async () => {
    const full = await startRedis();
    await full.client().set('a', 'b');
    expect(await onRing('ring', 'add', `n9=${full.address}`)).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /n9 \(.*\) holds 1 key, which would show up as stale data\n {2}use an empty node, or add --flush/,
      ),
    });
    expect(await onRing('ring', 'remove', 'nope')).toMatchObject({
      code: 1,
      err: expect.stringContaining('has no node nope'),
    });
  });
});

describe('the ring', () => {
  it('is shown as a table, and as the JSON of the contract', async () => {
    const { out, code } = await onRing('ring', 'show');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^generation 1, stable; murmur3, 4096 vnodes, hash tag '\{\}'\n\nNODE +ADDRESS +WEIGHT +STATE +SHARE +KEYS +MEMORY\nnode1 +127\.0\.0\.1:\d+ +1 +active/,
    );
    expect(JSON.parse((await onRing('ring', 'show', '--json')).out)).toMatchObject({
      generation: 1,
      phase: 'stable',
      hash: 'murmur3',
      distribution: 'ketama',
      hashTag: '{}',
      vnodes: 4096,
      nodes: [{ name: 'node1', weight: 1, state: 'active' }, { name: 'node2' }],
      change: null,
      proxies: [{ id: proxy.id, admin: proxy.admin, alive: true, generation: 1, phase: 'stable', workers: 1 }],
    });
  });

  it('says where keys are, as they are typed', async () => {
    const { out } = await onRing('ring', 'which', 'a', 'ümläut & space', '--json');
    expect(JSON.parse(out)).toMatchObject([{ key: 'a', nextNode: null }, { key: 'ümläut & space' }]);
  });

  it('changes, with a warning, and remembers it', async () => {
    const third = await startRedis();
    const dry = await onRing('ring', 'add', `node3=${third.address}*2`, '--dry-run');
    expect(dry.out).toMatch(/^dry run, nothing was changed; this would lead to generation 2\n/);
    const added = await onRing('ring', 'add', `node3=${third.address}*2`);
    expect(added).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /FROM +TO +SHARE[\s\S]*node1 +node3 +\d+\.\d %[\s\S]*done: add node3; generation 2, \d+ keys moved in/,
      ),
    });
    expect((await onRing('ring', 'remove', 'node3')).code).toBe(0);
    expect((await onRing('ring', 'history')).out).toMatch(
      /1 .*bootstrap[\s\S]*2 .*add +add node3[\s\S]*3 .*remove +remove node3/,
    );
    expect((await onRing('proxies')).out).toContain(proxy.id);
    expect((await onRing('stats')).out).toMatch(/^proxy [0-9a-f]{12}, version .*\nclients {4}/);
  });
});

describe('configuration', () => {
  it('is checked, imported from twemproxy, and put to use', async () => {
    const folder = tempFolder('cli');
    const bad = join(folder, 'bad.yaml');
    writeFileSync(bad, 'listen: nowhere\nnodes: 5\n');
    expect(await ringproxy(['config', 'check', bad])).toMatchObject({
      code: 2,
      err: expect.stringContaining('has 2 mistakes'),
    });
    const nutcracker = join(folder, 'nutcracker.yml');
    writeFileSync(
      nutcracker,
      'pool:\n  listen: 127.0.0.1:1\n  hash: md5\n  distribution: ketama\n  redis: true\n  servers:\n   - 127.0.0.1:7001:1 one\n',
    );
    const imported = await ringproxy(['config', 'import-twemproxy', nutcracker]);
    const good = join(folder, 'good.yaml');
    writeFileSync(good, imported.out);
    expect(await ringproxy(['config', 'check', good])).toMatchObject({
      code: 0,
      out: expect.stringContaining('is valid'),
    });
    expect(await ringproxy(['serve', '-c', good, '--check'])).toMatchObject({ code: 0 });
    expect(await ringproxy(['config', 'import-twemproxy', join(folder, 'none.yml')])).toMatchObject({ code: 2 });
  });
});

describe('the demo', () => {
  it('runs by itself, loses nothing, and leaves nothing behind', { timeout: 180_000 }, async () => {
    const { code, out } = await ringproxy(['demo', '--seconds', '6']);
    expect(out).toMatch(/done: add node4; generation 2, [\d,]+ keys moved/);
    expect(out).toMatch(/commands, 0 errors, 0 misses, 0 acknowledged writes lost/);
    expect(code).toBe(0);
  });
});
