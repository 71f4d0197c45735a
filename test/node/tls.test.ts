/** Connections to real nodes that speak TLS, and to what does not. */
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { onNode } from '../../src/node/client.js';
import { type DialOptions, dial } from '../../src/node/dial.js';
import { type FailureKind, NodeFailure } from '../../src/node/failure.js';
import { readsOnly } from '../../src/node/standing.js';
import { NodeCredentials, type NodeTls } from '../../src/node/tls.js';
import { NO_MATERIAL } from '../../src/tls/material.js';
import { Authority, type Certificate, hasOpenssl } from '../support/certificates.js';
import { atEnd } from '../support/cleanup.js';
import { type RedisProcess, type RedisTls, startRedis } from '../support/redis-process.js';

const OPTIONS: DialOptions = { pass: readsOnly('test'), timeout: 2000, asks: ['id'], tolerates: 'lacking rights' };
const RULES = { minVersion: 'TLSv1.2', ciphers: '' } as const;

const authority = hasOpenssl ? new Authority('nodes') : null;
const stranger = hasOpenssl ? new Authority('strangers') : null;

function those<T>(given: T | null): T {
  if (given === null) throw new Error('there is no openssl');
  return given;
}

function by(ca: Authority | null, own: Certificate | null = null, serverName = ''): NodeTls {
  const material = { ...NO_MATERIAL, ca: ca?.cert ?? '', ...(own === null ? {} : { cert: own.cert, key: own.key }) };
  return { serverName, credentials: new NodeCredentials('', material, RULES) };
}

function node(
  certificate: Certificate,
  more: Partial<RedisTls> = {},
  args: readonly string[] = [],
): Promise<RedisProcess> {
  return startRedis({ args, tls: { authority: those(authority), certificate, ...more } });
}

const at = (address: string, tls?: NodeTls) => ({ name: 'n', address, username: '', password: '', tls });

async function failureAt(address: string, tls?: NodeTls, timeout = 2000): Promise<NodeFailure> {
  const error: unknown = await dial(at(address, tls), { ...OPTIONS, timeout }).then(
    ({ socket }) => socket.destroy(),
    (reason: unknown) => reason,
  );
  if (error instanceof NodeFailure) return error;
  throw new Error(`expected a failure, got ${String(error)}`);
}

describe.skipIf(!hasOpenssl)('a node that speaks TLS', () => {
  it('is greeted when its certificate is signed and bears its name or address', async () => {
    const redis = await node(those(authority).issue('good', ['serverAuth', 'clientAuth']));
    for (const address of [redis.address, `localhost:${redis.port}`]) {
      const pong = await onNode(at(address, by(authority)), readsOnly('test'), 2000, (client) => client.ping());
      expect(pong).toBe('PONG');
    }
  });

  it('is asked for by the name that it is to bear (SNI), and never by an address', async () => {
    const asked: (string | false | null)[] = [];
    const { createServer } = await import('node:tls');
    const { cert, key } = those(authority).issue('sni', ['serverAuth'], { names: 'DNS:redis.internal,IP:127.0.0.1' });
    const server = createServer({ cert, key }, (socket) => {
      asked.push(socket.servername);
      socket.on('error', () => {});
      socket.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => void server.close());
    const address = `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    expect((await failureAt(address, by(authority, null, 'redis.internal'))).kind).toBe('closed');
    expect(new Set(asked)).toEqual(new Set(['redis.internal']));
    asked.length = 0;
    expect((await failureAt(address, by(authority))).kind).toBe('closed');
    expect(asked).not.toContain('127.0.0.1');
    expect((await failureAt(address, by(authority, null, '127.0.0.2'))).kind).toBe('wrong-name');
  });

  it.each<[string, FailureKind, RegExp, () => Promise<[string, NodeTls | undefined]>]>([
    [
      'by an authority that is not known',
      'untrusted',
      /no authority known here has signed .*set node-tls-ca/,
      async () => [(await node(those(authority).issue('a', ['serverAuth']))).address, by(stranger)],
    ],
    [
      'without a known authority',
      'untrusted',
      /no authority known here/,
      async () => [(await node(those(authority).issue('b', ['serverAuth']))).address, by(null)],
    ],
    [
      'with a certificate that has expired',
      'expired',
      /not valid now \(certificate has expired\): give the node another one/,
      async () => [(await node(those(authority).issue('c', ['serverAuth'], { days: -1 }))).address, by(authority)],
    ],
    [
      'with a certificate of another host',
      'wrong-name',
      /of another name .*127\.0\.0\.1.*set node-tls-server-name/,
      async () => {
        const other = those(authority).issue('d', ['serverAuth'], { names: 'DNS:other.example' });
        return [(await node(other)).address, by(authority)];
      },
    ],
    [
      'that wants to see a certificate',
      'client-certificate',
      /without a certificate that it trusts.*set node-tls-cert/,
      async () => {
        const redis = await node(those(authority).issue('e', ['serverAuth']), { authClients: 'yes' });
        return [redis.address, by(authority)];
      },
    ],
    [
      'that wants to see another certificate',
      'client-certificate',
      /without a certificate that it trusts/,
      async () => {
        const redis = await node(those(authority).issue('f', ['serverAuth']), { authClients: 'yes' });
        return [redis.address, by(authority, those(stranger).issue('proxy', ['clientAuth']))];
      },
    ],
    [
      'that wants to see another certificate than one that has expired',
      'client-certificate',
      /without a certificate that it trusts/,
      async () => {
        const redis = await node(those(authority).issue('f', ['serverAuth']), { authClients: 'optional' });
        return [redis.address, by(authority, those(authority).issue('old', ['clientAuth'], { days: -1 }))];
      },
    ],
    [
      'and is spoken to without',
      'tls-only',
      /speaks TLS only: turn node-tls on/,
      async () => [(await node(those(authority).issue('g', ['serverAuth']))).address, undefined],
    ],
    [
      'and wants certificates, and is spoken to without',
      'tls-only',
      /speaks TLS only/,
      async () => {
        const redis = await node(those(authority).issue('h', ['serverAuth']), { authClients: 'yes' });
        return [redis.address, undefined];
      },
    ],
    [
      'that is none of TLS',
      'no-tls',
      /does not speak TLS: turn node-tls off/,
      async () => [(await startRedis()).address, by(authority)],
    ],
    [
      'of no version that is spoken here',
      'tls',
      /cannot be spoken to by TLS: /,
      async () => {
        const redis = await node(those(authority).issue('i', ['serverAuth']), {}, ['--tls-protocols', 'TLSv1.1']);
        return [redis.address, by(authority)];
      },
    ],
  ])('%s is told of as such', async (_title, kind, words, stage) => {
    const [address, tls] = await stage();
    const failure = await failureAt(address, tls);
    expect([failure.kind, failure.outlook]).toEqual([kind, 'stays']);
    expect(failure.message).toMatch(new RegExp(`^node n \\(${address.replaceAll('.', '\\.')}\\) .*${words.source}`));
  });

  it.each(['yes', 'optional', 'no'] as const)(
    'takes a good certificate of the proxy (tls-auth-clients %s)',
    async (auth) => {
      const redis = await node(those(authority).issue('j', ['serverAuth']), { authClients: auth });
      const tls = by(authority, those(authority).issue('proxy', ['clientAuth']));
      expect(await onNode(at(redis.address, tls), readsOnly('test'), 2000, (client) => client.ping())).toBe('PONG');
    },
  );

  it('that does not go on with the handshake is late, and may be well', async () => {
    const server = net.createServer((socket) => void socket.on('error', () => {}));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => void server.close());
    const address = `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    const { kind, outlook } = await failureAt(address, by(authority), 200);
    expect([kind, outlook]).toEqual(['timeout', 'may pass']);
  });

  it('is not sent a login before its certificate was found good', async () => {
    const { createServer } = await import('node:tls');
    const { cert, key } = those(authority).issue('k', ['serverAuth'], { names: 'DNS:other.example' });
    let got = '';
    const server = createServer({ cert, key }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        got += chunk.toString();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => void server.close());
    const address = `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    await expect(dial({ ...at(address, by(authority)), password: 'hunter2' }, OPTIONS)).rejects.toMatchObject({
      kind: 'wrong-name',
    });
    expect(got).toBe('');
  });

  it('is spoken to by new certificates as soon as they are in force', async () => {
    const redis = await node(those(authority).issue('l', ['serverAuth']));
    const tls = by(stranger);
    expect((await failureAt(redis.address, tls)).kind).toBe('untrusted');
    tls.credentials.use({ ...NO_MATERIAL, ca: those(authority).cert });
    const { socket } = await dial(at(redis.address, tls), OPTIONS);
    socket.destroy();
  });
});
