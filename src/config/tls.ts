/** What the settings of TLS come to, and what they say against each other. */
import { readTlsFiles } from '../tls/files.js';
import { cipherMistake, type TlsFiles, type TlsPart, type TlsRules } from '../tls/material.js';
import { allNodeFiles } from './node-tls-checks.js';
import type { Config } from './settings.js';

/** Files that belong together, with the settings that name them. */
export interface NamedFiles {
  readonly files: TlsFiles;
  readonly paths: Readonly<Record<TlsPart, string>>;
  /** What the certificate is for: a server's is checked by those who connect, a client's by whom it connects to. */
  readonly roles: readonly ('server' | 'client')[];
}

export function tlsRules({ tlsMinVersion: minVersion, tlsCiphers: ciphers }: Config): TlsRules {
  return { minVersion, ciphers };
}

/** What clients are shown, that of `tls-cert` first; none where TLS is not spoken with them. */
export function clientFiles(config: Config): NamedFiles[] {
  if (config.tlsListen === 'off') return [];
  const ca = config.tlsCa;
  return [
    {
      files: { cert: config.tlsCert, key: config.tlsKey, ca },
      paths: { cert: 'tls-cert', key: 'tls-key', ca: 'tls-ca' },
      roles: ['server'],
    },
    ...config.tlsCertificates.map(({ cert, key }, index): NamedFiles => {
      const path = `tls-certificates[${index}]`;
      const paths = { cert: `${path}.cert`, key: `${path}.key`, ca: 'tls-ca' };
      return { files: { cert, key, ca }, paths, roles: ['server'] };
    }),
  ];
}

/** What callers of the admin API are shown; null: it is not served by HTTPS. */
export function adminFiles(config: Config): NamedFiles | null {
  if (config.adminTls === 'off') return null;
  const ca = config.adminTlsClientAuth === 'none' ? '' : config.adminTlsCa;
  // Other proxies of the ring that ask for one are shown the same.
  const isShown = config.coordination !== 'none' && config.adminTlsClientAuth !== 'none';
  const roles = isShown ? (['server', 'client'] as const) : (['server'] as const);
  if (config.adminTlsCert === '' && config.adminTlsKey === '') {
    const paths = { cert: 'tls-cert', key: 'tls-key', ca: 'admin-tls-ca' };
    return { files: { cert: config.tlsCert, key: config.tlsKey, ca }, paths, roles };
  }
  const paths = { cert: 'admin-tls-cert', key: 'admin-tls-key', ca: 'admin-tls-ca' };
  return { files: { cert: config.adminTlsCert, key: config.adminTlsKey, ca }, paths, roles };
}

/** By which other proxies are known; null: by the system's authorities. */
export function peerFiles({ peerCa }: Config): NamedFiles | null {
  if (peerCa === '') return null;
  const paths = { cert: 'peer-ca', key: 'peer-ca', ca: 'peer-ca' };
  return { files: { cert: '', key: '', ca: peerCa }, paths, roles: ['client'] };
}

/** What is used with etcd; null: the proxy is alone, or uses what the system has. */
export function etcdFiles(config: Config): NamedFiles | null {
  const { etcdCa: ca, etcdCert: cert, etcdKey: key } = config;
  if (config.coordination === 'none' || [ca, cert, key].every((path) => path === '')) return null;
  return { files: { ca, cert, key }, paths: { ca: 'etcd-ca', cert: 'etcd-cert', key: 'etcd-key' }, roles: ['client'] };
}

interface Mistake {
  readonly path: string;
  readonly message: string;
}

/** What the settings say against each other, whatever their files hold. */
export function tlsMistakes(config: Config): Mistake[] {
  const mistakes: Mistake[] = [];
  const cipher = cipherMistake(tlsRules(config));
  if (cipher !== null) mistakes.push({ path: 'tls-ciphers', message: cipher });
  if (config.listen === 'off' && config.tlsListen === 'off') {
    mistakes.push({ path: 'listen', message: 'is off, and so is tls-listen: clients connect by one of the two' });
  }
  mistakes.push(...adminMistakes(config));
  if (config.tlsListen === 'off') {
    return [...mistakes, ...uselessSettings(config)];
  }
  if (config.tlsListen.startsWith('unix:') || config.tlsListen.startsWith('/')) {
    mistakes.push({ path: 'tls-listen', message: 'is a Unix socket, which nobody else reads: serve it by listen' });
  }
  for (const [path, address] of [
    ['listen', config.listen],
    ['admin', config.admin],
  ] as const) {
    if (config.tlsListen === address && !address.endsWith(':0')) {
      mistakes.push({ path: 'tls-listen', message: `${address} is that of ${path}: give one of the two another port` });
    }
  }
  if (config.tlsCert === '') mistakes.push({ path: 'tls-cert', message: 'tls-listen needs a certificate' });
  if (config.tlsKey === '') mistakes.push({ path: 'tls-key', message: 'tls-listen needs its private key' });
  if (config.tlsClientAuth !== 'none' && config.tlsCa === '') {
    mistakes.push({
      path: 'tls-ca',
      message: `tls-client-auth ${config.tlsClientAuth} needs the authorities of clients`,
    });
  }
  if (config.tlsClientUser !== 'none' && config.tlsClientAuth === 'none') {
    const message = `is ${config.tlsClientUser}, and nobody is asked for a certificate: set tls-client-auth`;
    mistakes.push({ path: 'tls-client-user', message });
  }
  return mistakes;
}

/** What is wrong with the files that they name, as these are now. */
export function tlsFileMistakes(config: Config): Mistake[] {
  return fileMistakes([...usable(config), ...allNodeFiles(config)]);
}

/** Where a file is not named that is needed, that is a mistake by itself. */
function usable(config: Config): NamedFiles[] {
  return servedOrAsked(config).filter(
    ({ files: { cert, key, ca } }) => (cert !== '' && key !== '') || (cert === '' && key === '' && ca !== ''),
  );
}

function adminMistakes(config: Config): Mistake[] {
  const files = adminFiles(config);
  if (files === null) {
    const given = [
      ['admin-tls-cert', config.adminTlsCert],
      ['admin-tls-key', config.adminTlsKey],
      ['admin-tls-ca', config.adminTlsCa],
      ['admin-tls-client-auth', config.adminTlsClientAuth === 'none' ? '' : config.adminTlsClientAuth],
    ] as const;
    return given
      .filter(([, file]) => file !== '')
      .map(([path]) => ({ path, message: 'is given, and the admin API is not served by HTTPS: set admin-tls: on' }));
  }
  const mistakes: Mistake[] = [];
  if (config.admin === 'off') mistakes.push({ path: 'admin-tls', message: 'is on, and admin is off' });
  const { adminTlsCa: ca, adminTlsClientAuth: auth } = config;
  if (auth !== 'none' && ca === '') {
    mistakes.push({ path: 'admin-tls-ca', message: `admin-tls-client-auth ${auth} needs the authorities of callers` });
  }
  if (auth === 'none' && ca !== '') {
    const message = 'is given, and nobody is asked for a certificate: set admin-tls-client-auth';
    mistakes.push({ path: 'admin-tls-ca', message });
  }
  for (const part of ['cert', 'key'] as const) {
    if (files.files[part] !== '') continue;
    mistakes.push({
      path: files.paths[part],
      message: `admin-tls needs ${part === 'cert' ? 'a certificate' : 'its private key'}`,
    });
  }
  return mistakes;
}

/** All files of certificates that the settings name, for whatever link. */
export function allTlsFiles(config: Config): NamedFiles[] {
  return [...servedOrAsked(config), ...allNodeFiles(config)];
}

function servedOrAsked(config: Config): NamedFiles[] {
  const all = [...clientFiles(config), adminFiles(config), peerFiles(config), etcdFiles(config)];
  return all.filter((files) => files !== null);
}

/** One file may be that of several. */
function fileMistakes(list: readonly NamedFiles[]): Mistake[] {
  const found = new Map<string, Mistake>();
  for (const { files, paths } of list) {
    for (const { part, message } of readTlsFiles(files).mistakes) {
      found.set(`${paths[part]} ${message}`, { path: paths[part], message });
    }
  }
  return [...found.values()];
}

/** What would never be used: it was meant for something. */
function uselessSettings(config: Config): Mistake[] {
  const isForAdmin = config.adminTls === 'on';
  const given = [
    ['tls-cert', config.tlsCert !== '' && !isForAdmin],
    ['tls-key', config.tlsKey !== '' && !isForAdmin],
    ['tls-certificates', config.tlsCertificates.length > 0],
    ['tls-client-auth', config.tlsClientAuth !== 'none'],
    ['tls-client-user', config.tlsClientUser !== 'none'],
  ] as const;
  return given
    .filter(([, isGiven]) => isGiven)
    .map(([path]) => ({
      path,
      message: 'is given, and TLS is not spoken with clients: set tls-listen, such as 127.0.0.1:6381',
    }));
}
