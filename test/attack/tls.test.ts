/** Strangers at the ports that speak TLS: handshakes that never end, that announce much, or that are none. */
import { readFileSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { expect, it } from 'vitest';
import { Authority, hasOpenssl } from '../support/certificates.js';
import { atEnd } from '../support/cleanup.js';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { scrape } from '../support/series.js';

const MEBIBYTE = 1_048_576;
const STRANGERS = 400;
const PATIENCE = '3s';

function residentOf({ pid }: RingproxyProcess): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return pages * 4096;
}

/** What a client of TLS sends first. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = net.createServer((socket) => {
      socket.once('data', (chunk) => {
        socket.destroy();
        server.close();
        resolve(chunk);
      });
      socket.on('error', () => {});
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      tls.connect({ port, host: '127.0.0.1', servername: 'localhost' }).on('error', () => {});
    });
  });
}

/** A record of a handshake whose message is said to be 16 MB long, of which this is the beginning. */
function hugeHello(): Buffer {
  const body = Buffer.concat([Buffer.from([0x01, 0xff, 0xff, 0xff, 0x03, 0x03]), Buffer.alloc(16_000, 0x61)]);
  const record = Buffer.concat([Buffer.from([0x16, 0x03, 0x01, body.length >> 8, body.length & 255]), body]);
  return Buffer.concat(Array.from({ length: 20 }, () => record));
}

interface Stranger {
  readonly socket: Socket;
  readonly closed: Promise<string>;
}

/** @param then is sent a byte at a time, for as long as it lasts */
function stranger(port: number, first: Buffer, then: Buffer = Buffer.alloc(0)): Stranger {
  let drip: ReturnType<typeof setInterval> | undefined;
  const socket = net.connect(port, '127.0.0.1', () => {
    socket.write(first);
    let at = 0;
    drip = setInterval(() => {
      if (at < then.length && socket.writable) socket.write(then.subarray(at, ++at));
    }, 20);
  });
  let answer = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  atEnd(async () => {
    clearInterval(drip);
    socket.destroy();
  });
  return {
    socket,
    closed: new Promise((resolve) =>
      socket.once('close', () => {
        clearInterval(drip);
        resolve(answer);
      }),
    ),
  };
}

it.skipIf(!hasOpenssl).each(['1', '2'])(
  'handshakes that lead nowhere hold nobody up, with %s workers',
  {
    timeout: 60_000,
  },
  async (workers) => {
    const authority = new Authority('authority');
    const { certFile, keyFile } = authority.issue('proxy', ['serverAuth']);
    const proxy = await startRingproxy({
      nodes: await startRedises(1),
      args: ['--tls-listen', '127.0.0.1:0', '--tls-cert', certFile, '--tls-key', keyFile, '--workers', workers],
      env: { RINGPROXY_TLS_HANDSHAKE_TIMEOUT: PATIENCE },
      allowLog: [/no TLS with client/],
    });
    const port = proxy.tlsPort;
    const friend = await RawClient.secure({ port, ca: authority.cert });
    expect(await friend.text('SET', 'k', '0')).toBe('+OK\r\n');
    const before = residentOf(proxy);
    const hello = await clientHello();
    const ways = [
      // Half of it, and no more; half of it, and the rest slowly; all of it, and no answer to what comes back; silence.
      () => stranger(port, hello.subarray(0, hello.length >> 1)),
      () => stranger(port, hello.subarray(0, 5), hello.subarray(5)),
      () => stranger(port, hello),
      () => stranger(port, Buffer.alloc(0)),
      () => stranger(port, hugeHello()),
      () => stranger(port, Buffer.from('*1\r\n$4\r\nPING\r\n'.repeat(1000))),
      () => stranger(port, Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
      // TLS where it is not spoken.
      () => stranger(proxy.port, hello),
    ];
    const strangers = Array.from({ length: STRANGERS }, (_, index) => (ways[index % ways.length] ?? ways[0])?.());
    for (let i = 0; i < 200; i++) expect(await friend.text('INCR', 'k')).toBe(`:${i + 1}\r\n`);
    // Who comes meanwhile is served as well, by TLS and plainly.
    expect(await (await RawClient.secure({ port, ca: authority.cert })).text('GET', 'k')).toBe('$3\r\n200\r\n');
    expect(await (await RawClient.connect(proxy.port)).text('GET', 'k')).toBe('$3\r\n200\r\n');
    expect(residentOf(proxy) - before).toBeLessThan(96 * MEBIBYTE);

    // All of them are closed, and none is told anything of Redis.
    const answers = await Promise.all(strangers.map((one) => one?.closed));
    for (const answer of answers)
      expect(answer).toMatch(/^(?:-ERR Protocol error: TLS is not spoken here\r\n$|[^-+]|$)/);
    await expect.poll(async () => (await scrape(proxy.admin)).get('ringproxy_tls_handshakes_pending')).toBe(0);
    const series = await scrape(proxy.admin);
    const counted = (outcome: string): number =>
      series.get(`ringproxy_tls_handshakes_total{outcome="${outcome}"}`) ?? 0;
    const each = STRANGERS / ways.length;
    expect({
      timeout: counted('timeout'),
      wrongPort: counted('wrong-port'),
      notTls: counted('not-tls') + counted('failed') + counted('mismatch'),
    }).toEqual({ timeout: 4 * each, wrongPort: each, notTls: 3 * each });
    // Each kind is told of once a minute, whoever it was.
    const told = proxy.log.filter(({ event }) => event === 'ringproxy:tls:handshake-failed');
    expect(told.length).toBeLessThanOrEqual(6 * Number(workers));
    expect(await friend.text('INCR', 'k')).toBe(':201\r\n');
  },
);
