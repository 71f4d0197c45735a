/** TLS: where it is spoken, by which certificates, and which of it. */
import { z } from 'zod';
import { type Setting, WATCHED_FILE } from './setting.js';

const path = z.string({ message: 'expected a path' }).min(1, 'expected a path');

const certificates = z
  .array(z.strictObject({ cert: path, key: path }, { message: 'expected cert and key' }), {
    message: 'expected a list of certificates, each with cert and key',
  })
  .max(1000, 'there can be at most 1000')
  .prefault([]);

export const TLS_SETTINGS = {
  tlsListen: {
    path: 'tls-listen',
    type: 'address',
    off: true,
    default: 'off',
    help: 'where clients connect by TLS, beside `listen` or (`listen: off`) instead of it',
    flag: 'HOST:PORT',
  },
  tlsCert: {
    path: 'tls-cert',
    ...WATCHED_FILE,
    help: 'file with the certificate (PEM) that clients are shown, and those between it and its authority behind it',
    flag: 'FILE',
  },
  tlsKey: {
    path: 'tls-key',
    ...WATCHED_FILE,
    help: 'file with its private key (PEM), without a passphrase',
    flag: 'FILE',
  },
  tlsCa: {
    path: 'tls-ca',
    ...WATCHED_FILE,
    help: 'file with the certificates (PEM) of the authorities that sign those of clients',
    flag: 'FILE',
  },
  tlsCertificates: {
    path: 'tls-certificates',
    type: 'own',
    schema: certificates,
    kind: 'list of certificates',
    default: '[]',
    help: 'further ones, each with cert and key: whoever asks for a name that one of them has (SNI) is shown that',
  },
  tlsClientAuth: {
    path: 'tls-client-auth',
    type: 'choice',
    values: ['none', 'optional', 'required'],
    default: 'none',
    help: 'whether clients must show a certificate that tls-ca has signed; optional: one that they show must be such',
    flag: 'none|optional|required',
  },
  tlsClientUser: {
    path: 'tls-client-user',
    type: 'choice',
    values: ['none', 'cn'],
    default: 'none',
    help: 'cn: a client that shows a certificate is logged in as the user whose name is its common name, without a password',
    flag: 'none|cn',
  },
  adminTls: {
    path: 'admin-tls',
    type: 'choice',
    values: ['off', 'on'],
    default: 'off',
    help: 'whether the admin API, its page and the metrics are served by HTTPS',
    flag: 'on|off',
  },
  adminTlsCert: {
    path: 'admin-tls-cert',
    ...WATCHED_FILE,
    help: 'file with the certificate (PEM) that it shows; empty: tls-cert, with tls-key',
    flag: 'FILE',
  },
  adminTlsKey: {
    path: 'admin-tls-key',
    ...WATCHED_FILE,
    help: 'file with its private key (PEM), without a passphrase',
    flag: 'FILE',
  },
  adminTlsCa: {
    path: 'admin-tls-ca',
    ...WATCHED_FILE,
    help: 'file with the certificates (PEM) of the authorities that sign those of callers',
    flag: 'FILE',
  },
  adminTlsClientAuth: {
    path: 'admin-tls-client-auth',
    type: 'choice',
    values: ['none', 'optional', 'required'],
    default: 'none',
    help: 'whether callers must show a certificate that admin-tls-ca has signed, beside their token; optional: one that they show must be such',
    flag: 'none|optional|required',
  },
  peerCa: {
    path: 'peer-ca',
    ...WATCHED_FILE,
    help: "file with the certificates (PEM) that sign those of other proxies' admin APIs; empty: the system's",
    flag: 'FILE',
  },
  tlsMinVersion: {
    path: 'tls-min-version',
    type: 'choice',
    values: ['TLSv1.2', 'TLSv1.3'],
    default: 'TLSv1.2',
    help: 'oldest version of TLS that is spoken',
  },
  tlsCiphers: {
    path: 'tls-ciphers',
    type: 'text',
    default: '',
    help: 'ciphers, in the words of OpenSSL, those of TLS 1.3 among them; empty: those with forward secrecy and AEAD',
  },
  tlsHandshakeTimeout: {
    path: 'tls-handshake-timeout',
    type: 'duration',
    least: '100ms',
    most: '5m',
    default: '10s',
    help: 'most time for the handshake of a client',
  },
} as const satisfies Readonly<Record<string, Setting>>;
