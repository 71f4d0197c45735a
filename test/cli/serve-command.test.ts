/** Signals to a proxy that serves, and what a check says that `serve` would say. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Authority, hasOpenssl } from '../support/certificates.js';
import { startRedises } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { ringproxy } from './run.js';

describe('SIGHUP', () => {
  it('reads the configuration again, tells what is in force, and never ends a proxy', async () => {
    const file = join(tempFolder('reload'), 'ringproxy.yaml');
    writeFileSync(file, 'log-level: info\n');
    const allowLog = [/was read again and changes nothing/];
    const proxy = await startRingproxy({ nodes: await startRedises(1), args: ['-c', file], allowLog });
    const again = async (text: string, said: RegExp): Promise<void> => {
      const before = proxy.log.length;
      writeFileSync(file, text);
      proxy.kill('SIGHUP');
      await expect.poll(() => proxy.log.slice(before).some(({ msg }) => said.test(msg))).toBe(true);
    };
    await again('log-level: nonsense\n', /log-level: expected one of/);
    const quiet = 'node-connections: 4\npassword: secret\n';
    await again(`log-level: debug\n${quiet}`, /log-level.* in force; node-connections from the next start on/);
    await again('log-level: debug\npassword: secret\n', /read again and has not changed/);
    // Where less is logged from now on, that is logged still.
    await again(`log-level: warn\n${quiet}`, /log-level in force; node-connections from the next start on/);
    await again('log-level: debug\npassword: secret\n', /log-level in force/);
    // A level that is lower is in force as well: nothing is told of it any more.
    await again('', /log-level.* in force/);
    expect(proxy.log.map(({ msg }) => msg).join('\n')).not.toContain('secret');
    // A pipe would be waited for, by clients as well.
    rmSync(file);
    execFileSync('mkfifo', [file]);
    proxy.kill('SIGHUP');
    await proxy.logged(/is no regular file: it is read at the start only/);
    expect(await proxy.client().set('still', 'here')).toBe('OK');
  });

  // What `serve` and checks refuse was taken, to be in force from a next start on that would fail.
  it('takes no configuration without nodes', async () => {
    const [redis] = await startRedises(1);
    const file = join(tempFolder('reload'), 'ringproxy.yaml');
    writeFileSync(file, `nodes: [a=${redis?.address}]\n`);
    const proxy = await startRingproxy({ args: ['-c', file], allowLog: [/changes nothing/] });
    writeFileSync(file, '');
    proxy.kill('SIGHUP');
    await proxy.logged(/changes nothing: .*the ring has no nodes/);
  });
});

describe('tokens of the admin API', () => {
  it('are those of their files, and change with them while the proxy serves', async () => {
    const folder = tempFolder('tokens');
    const [admin, viewer, config] = ['admin', 'viewer', 'ringproxy.yaml'].map((name) => join(folder, name));
    writeFileSync(admin ?? '', 'first-one\n');
    writeFileSync(viewer ?? '', '# who looks\nlook-only\n');
    writeFileSync(config ?? '', `admin-token-file: ${admin}\nadmin-viewer-token-file: ${viewer}\n`);
    const proxy = await startRingproxy({ nodes: await startRedises(1), args: ['-c', config ?? ''] });
    const status = async (token: string): Promise<number> =>
      (await fetch(`${proxy.admin}/v1/stats`, { headers: { authorization: `Bearer ${token}` } })).status;
    const show = ['ring', 'show', '--admin', proxy.admin, '--token', 'look-only'];
    expect(await ringproxy(show)).toMatchObject({ code: 0 });
    const refused = await ringproxy([
      ...['ring', 'set-weight', 'node1', '2', '--dry-run', '--admin', proxy.admin, '--token', 'look-only'],
    ]);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining('takes the role operator (admin-operator-token)'),
    });
    // One takes the place of another: in between both are valid.
    writeFileSync(admin ?? '', 'first-one\nsecond-one\n');
    proxy.kill('SIGHUP');
    await proxy.logged(/admin-token-file in force/);
    expect([await status('first-one'), await status('second-one')]).toEqual([200, 200]);
    writeFileSync(admin ?? '', 'second-one\n');
    writeFileSync(viewer ?? '', 'see-only\n');
    proxy.kill('SIGHUP');
    await proxy.logged(/admin-token-file, admin-viewer-token-file in force/);
    expect([await status('first-one'), await status('look-only')]).toEqual([401, 401]);
    expect([await status('second-one'), await status('see-only')]).toEqual([200, 200]);
  });

  it.skipIf(!hasOpenssl)('are revoked also while a certificate cannot be used', async () => {
    const folder = tempFolder('revoked');
    const [tokens, cert, config] = ['tokens', 'cert.pem', 'ringproxy.yaml'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const { certFile, keyFile } = new Authority('authority').issue('proxy', ['serverAuth']);
    copyFileSync(certFile, cert);
    writeFileSync(tokens, 'ann: token-first\nbob: token-second\n');
    writeFileSync(
      config,
      `admin-token-file: ${tokens}\ntls-listen: 127.0.0.1:0\ntls-cert: ${cert}\ntls-key: ${keyFile}\n`,
    );
    const proxy = await startRingproxy({
      nodes: await startRedises(1),
      args: ['-c', config],
      allowLog: [/cannot be used/],
    });
    const status = async (token: string): Promise<number> =>
      (await fetch(`${proxy.admin}/v1/stats`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await status('token-first'), await status('token-second')]).toEqual([200, 200]);
    // A FIFO would be waited for, by everybody.
    rmSync(cert);
    execFileSync('mkfifo', [cert]);
    writeFileSync(tokens, 'bob: token-second\n');
    proxy.kill('SIGHUP');
    await proxy.logged(/admin-token-file in force/);
    await proxy.logged(/certificates that cannot be used, all else is taken: tls-cert: .*is not a regular file/);
    expect([await status('token-first'), await status('token-second')]).toEqual([401, 200]);
    rmSync(cert);
    writeFileSync(cert, '-----BEGIN CERTIFICATE-----\n');
    writeFileSync(tokens, 'cid: token-third\n');
    proxy.kill('SIGHUP');
    await proxy.logged(/all else is taken: tls-cert: .* holds no certificate/);
    expect([await status('token-second'), await status('token-third')]).toEqual([401, 200]);
  });

  it('are no two of one kind, and none for viewers alone', async () => {
    const file = join(tempFolder('tokens'), 'ringproxy.yaml');
    writeFileSync(`${file}.token`, 'a\n');
    writeFileSync(file, `nodes: [a=127.0.0.1:1]\nadmin-viewer-token: look\n`);
    const alone = await ringproxy(['config', 'check', file]);
    expect(alone).toMatchObject({
      code: 2,
      err: expect.stringContaining(':2 admin-viewer-token: needs an admin-token'),
    });
    const both = `admin-token: b\nadmin-token-file: ${file}.token\nadmin-viewer-token: a\n`;
    writeFileSync(file, `nodes: [a=127.0.0.1:1]\n${both}`);
    const twice = await ringproxy(['config', 'check', file]);
    expect(twice).toMatchObject({ code: 2, err: expect.stringContaining('stands in admin-token-file, too') });
    expect(twice.err).toContain('admin-viewer-token: is an admin-token, too');
    writeFileSync(`${file}.token`, 'ann: a\nbob: a b\nmallory:\u00e9\n');
    writeFileSync(file, `nodes: [a=127.0.0.1:1]\nadmin-operator-token-file: ${file}.token\nadmin-viewer-token: a\n`);
    const three = await ringproxy(['config', 'check', file]);
    expect(three.err).toContain(':2 admin-operator-token-file: each line is to be a token, or NAME: TOKEN');
    expect(three.err).toContain(':2 admin-operator-token-file: needs an admin-token beside it');
    expect(three.err).toContain('admin-viewer-token: is an admin-operator-token, too');
  });
});

describe('a misspelt variable', () => {
  it('is warned of', async () => {
    const proxy = await startRingproxy({
      nodes: await startRedises(1),
      env: { RINGPROXY_LISTN: '127.0.0.1:1' },
      allowLog: [/RINGPROXY_LISTN, which is no setting: did you mean RINGPROXY_LISTEN\?/],
    });
    await proxy.logged(/did you mean RINGPROXY_LISTEN/);
  });
});

describe('a configuration without nodes', () => {
  it('is refused by checks as by serve, unless something else may know of a ring', async () => {
    const folder = tempFolder('empty');
    const file = join(folder, 'empty.yaml');
    writeFileSync(file, '');
    for (const args of [
      ['config', 'check', file],
      ['serve', '-c', file, '--check'],
    ]) {
      expect(await ringproxy(args)).toMatchObject({ code: 2, err: expect.stringContaining('the ring has no nodes') });
    }
    writeFileSync(file, `state-dir: ${folder}\n`);
    expect(await ringproxy(['config', 'check', file])).toMatchObject({ code: 0 });
  });

  it('is written by init, once', async () => {
    const file = join(tempFolder('init'), 'ringproxy.yaml');
    expect((await ringproxy(['config', 'init', file])).code).toBe(0);
    expect((await ringproxy(['config', 'check', file])).out).toContain('3 nodes (a, b, c)');
    expect(await ringproxy(['config', 'init', file])).toMatchObject({
      code: 2,
      err: expect.stringContaining('is there already'),
    });
  });
});
