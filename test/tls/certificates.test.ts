import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { RingproxyError } from '../../src/errors.js';
import { Certificates } from '../../src/tls/certificates.js';
import { readTlsFiles, readTlsFilesLater } from '../../src/tls/files.js';
import { cipherMistake, secureOptions, type TlsFiles } from '../../src/tls/material.js';
import { Authority, type Certificate, hasOpenssl } from '../support/certificates.js';
import { ManualTimers } from '../support/manual-timers.js';
import { tempFolder } from '../support/temp-folder.js';

const CHANNELS = ['ringproxy:tls:reloaded', 'ringproxy:tls:reload-failed'];

describe.skipIf(!hasOpenssl)('certificates of files', () => {
  const authority = hasOpenssl ? new Authority('authority') : null;
  const issue = (name: string, days = 2): Certificate => {
    if (authority === null) throw new Error('no openssl');
    return authority.issue(name, ['serverAuth'], { days });
  };
  const [first, second, expired] = hasOpenssl ? [issue('first'), issue('second'), issue('expired', -1)] : [];
  const folder = tempFolder('tls-files');
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  function pathTo(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  function mistakes(files: Partial<TlsFiles>): string[] {
    return readTlsFiles({ cert: '', key: '', ca: '', ...files }).mistakes.map(
      ({ part, message }) => `${part}: ${message.replaceAll(`${folder}/`, '')}`,
    );
  }

  it('says of each file what is wrong with it, and never what it holds', async () => {
    if (first === undefined || second === undefined) return;
    const { certFile, keyFile, cert, key } = first;
    expect(mistakes({ cert: certFile, key: keyFile, ca: authority?.file ?? '' })).toEqual([]);
    expect(mistakes({ cert: join(folder, 'none.pem'), key: keyFile })[0]).toMatch(
      /^cert: none.pem cannot be read: ENOENT/,
    );
    expect(mistakes({ cert: pathTo('empty.pem', ''), key: keyFile })).toEqual(['cert: empty.pem is empty']);
    expect(mistakes({ cert: pathTo('text.pem', 'hello'), key: keyFile })).toEqual([
      'cert: text.pem holds no certificate in PEM (-----BEGIN CERTIFICATE-----)',
    ]);
    expect(mistakes({ cert: pathTo('key-as-cert.pem', key), key: keyFile })).toEqual([
      'cert: key-as-cert.pem holds a private key and no certificate in PEM (-----BEGIN CERTIFICATE-----)',
    ]);
    expect(mistakes({ cert: pathTo('cut.pem', cert + cert.slice(0, 100)), key: keyFile })).toEqual([
      'cert: cut.pem is cut off: its last certificate has no end',
    ]);
    expect(mistakes({ cert: certFile })).toEqual(['key: the certificate needs its private key, too']);
    expect(mistakes({ key: keyFile })).toEqual(['cert: the private key needs its certificate, too']);
    expect(mistakes({ cert: certFile, key: pathTo('cut-key.pem', key.slice(0, 100)) })[0]).toMatch(
      /cut off or damaged$/,
    );
    expect(mistakes({ cert: certFile, key: certFile })[0]).toMatch(/holds no private key in PEM/);
    expect(mistakes({ cert: certFile, key: second.keyFile })[0]).toMatch(
      /^key: .* holds another private key than that of the certificate \(CN=first\)$/,
    );
    expect(mistakes({ ca: keyFile })[0]).toMatch(/^ca: .* holds a private key and no certificate/);
    const damaged = cert.replace(/\n[^-\n]+\n/, '\nAAAA\n');
    expect(mistakes({ cert: pathTo('damaged.pem', damaged), key: keyFile })).toEqual([
      'cert: damaged.pem holds a certificate that cannot be read: it is damaged',
    ]);
    const encrypted = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n';
    expect(mistakes({ cert: certFile, key: pathTo('encrypted.pem', encrypted) })[0]).toMatch(/with a passphrase/);
    const later = await readTlsFilesLater({ cert: certFile, key: second.keyFile, ca: join(folder, 'gone.pem') });
    expect(later.mistakes.map(({ part }) => part)).toEqual(['ca']);
    expect(await readTlsFilesLater({ cert: folder, key: keyFile, ca: '' })).toMatchObject({
      mistakes: [{ part: 'cert', message: expect.stringContaining('not a regular file') }],
    });
  });

  it('has no sessions anew, and refuses ciphers that there are not', () => {
    const rules = { minVersion: 'TLSv1.2', ciphers: '' } as const;
    expect(secureOptions({ cert: '', key: '', ca: '' }, rules)).toMatchObject({ minVersion: 'TLSv1.2' });
    expect(cipherMistake(rules)).toBeNull();
    for (const ciphers of ['NONSENSE', '@SECLEVEL=9', ' ', 'TLS_NOPE:ECDHE+AESGCM']) {
      expect(cipherMistake({ ...rules, ciphers })).toMatch(/^is no list of ciphers that OpenSSL takes: expected names/);
    }
    expect(cipherMistake({ minVersion: 'TLSv1.3', ciphers: 'ECDHE+AESGCM' })).toMatch(/^names none of TLS 1.3/);
    expect(cipherMistake({ minVersion: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' })).toBeNull();
  });

  /** One pair of files, watched, with the time in the test's hands. */
  function watch(start: Certificate | undefined) {
    if (start === undefined) throw new Error('no openssl');
    const place = join(folder, `pair-${ends.length}-${Math.random().toString(36).slice(2)}`);
    mkdirSync(place);
    const files = { cert: join(place, 'cert.pem'), key: join(place, 'key.pem'), ca: '' };
    const put = (certificate: Certificate | undefined, part: 'cert' | 'key'): void => {
      if (certificate === undefined) return;
      copyFileSync(part === 'cert' ? certificate.certFile : certificate.keyFile, files[part]);
    };
    put(start, 'cert');
    put(start, 'key');
    const timers = new ManualTimers();
    const certificates = new Certificates({ timers });
    const watched = certificates.open('clients', files);
    const events: object[] = [];
    const note = (event: unknown): void => {
      events.push(event as object);
    };
    for (const name of CHANNELS) subscribe(name, note);
    ends.push(() => {
      for (const name of CHANNELS) unsubscribe(name, note);
      certificates.stop();
    });
    const taken: string[] = [];
    watched.onChange(({ cert }) => taken.push(cert));
    /** Looks until the look is over, while time passes. */
    const look = async (asked = false): Promise<void> => {
      let isOver = false;
      const looking = certificates.check(asked).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        timers.advance(300);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await looking;
    };
    return { files, place, put, certificates, watched, events, taken, look };
  }

  it('are taken when a new pair is whole, and not before', async () => {
    const { put, watched, events, taken, look, certificates } = watch(first);
    await look();
    expect(events).toEqual([]);
    put(second, 'cert');
    await look();
    expect(taken).toEqual([]);
    expect(events).toEqual([]);
    put(second, 'key');
    await look();
    expect(taken).toEqual([second?.cert]);
    expect(watched.material.key).toBe(second?.key);
    expect(events).toMatchObject([{ use: 'clients', error: '', summary: expect.stringContaining('are in force') }]);
    expect(certificates.figures()).toMatchObject({
      certificates: [{ use: 'clients', subject: 'CN=second' }],
      reloads: [
        { outcome: 'ok', count: 1 },
        { outcome: 'failed', count: 0 },
      ],
    });
  });

  it('stay in force while others cannot be used, which is told once, and are left for those that can', async () => {
    const { files, put, watched, events, look, certificates } = watch(first);
    writeFileSync(files.key, 'rubbish');
    for (let i = 0; i < 5; i++) await look();
    expect(watched.material.cert).toBe(first?.cert);
    expect(events).toHaveLength(1);
    expect(events).toMatchObject([{ error: expect.stringContaining('holds no private key') }]);
    expect(JSON.stringify(events)).not.toContain('rubbish');
    rmSync(files.key);
    await look();
    await look();
    expect(events).toMatchObject([{}, { error: expect.stringContaining('ENOENT') }]);
    put(second, 'cert');
    put(second, 'key');
    await look();
    expect(watched.material.cert).toBe(second?.cert);
    expect(certificates.figures().reloads.map(({ count }) => count)).toEqual([1, 2]);
  });

  it('that have expired do not take the place of those that are valid', async () => {
    const { put, watched, events, look } = watch(first);
    put(expired, 'cert');
    put(expired, 'key');
    await look(true);
    expect(watched.material.cert).toBe(first?.cert);
    expect(events).toMatchObject([{ error: expect.stringMatching(/CN=expired\) that expired \d{4}-/) }]);
  });

  it('are taken where a symbolic link is turned round, as Kubernetes does', async () => {
    const { place, files, taken, look } = watch(first);
    const version = (name: string, certificate: Certificate | undefined): void => {
      mkdirSync(join(place, name));
      writeFileSync(join(place, name, 'cert.pem'), certificate?.cert ?? '');
      writeFileSync(join(place, name, 'key.pem'), certificate?.key ?? '');
    };
    version('..1', first);
    symlinkSync('..1', join(place, '..data'));
    for (const [path, name] of [
      [files.cert, 'cert.pem'],
      [files.key, 'key.pem'],
    ] as const) {
      rmSync(path);
      symlinkSync(join('..data', name), path);
    }
    await look();
    expect(taken).toEqual([]);
    version('..2', second);
    symlinkSync('..2', join(place, '..data_tmp'));
    renameSync(join(place, '..data_tmp'), join(place, '..data'));
    await look();
    expect(taken).toEqual([second?.cert]);
    expect(readFileSync(files.cert, 'utf8')).toBe(second?.cert);
  });

  it('cannot be opened when they cannot be used', () => {
    if (first === undefined || second === undefined) return;
    const files = { cert: first.certFile, key: second.keyFile, ca: '' };
    expect(() => new Certificates().open('clients', files)).toThrow(RingproxyError);
  });
});
