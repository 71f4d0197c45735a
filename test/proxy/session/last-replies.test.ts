/**
 * The proxy ends a connection behind its last reply, and the client, which is slow to read, has sent more by then. To close a
 * socket that has something unread makes the kernel send a reset: what was still on its way to the client is gone.
 */
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { request } from '../../../src/resp/encode.js';
import { Authority, type Certificate, hasOpenssl } from '../../support/certificates.js';
import { type RedisProcess, startRedis } from '../../support/redis-process.js';
import { type RingproxyOptions, type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { tempFolder } from '../../support/temp-folder.js';

const VALUE = 'v'.repeat(40_000);
const REPLY = `$${VALUE.length}\r\n${VALUE}\r\n`;
/** More than the kernel keeps for a client that does not read. */
const GETS = 500;
const PIPELINE = request(['GET', 'k']).toString().repeat(GETS);
/** More than Node.js reads of a socket that is paused. */
const MORE = request(['PING']).toString().repeat(20_000);

let redis: RedisProcess;
let authority: Authority;
let certificate: Certificate;

beforeAll(async () => {
  redis = await startRedis();
  if (!hasOpenssl) return;
  authority = new Authority('authority');
  certificate = authority.issue('proxy', ['serverAuth']);
});

interface Heard {
  /** Whole replies to GET, and what came behind them. */
  readonly replies: number;
  readonly rest: string;
  /** `end`, or the code of an error. */
  readonly outcome: string;
}

/** Has `commands` sent, then does `meanwhile`, then sends more, and only then begins to read, slowly. */
async function readLate(socket: net.Socket, commands: string, meanwhile = () => {}): Promise<Heard> {
  const chunks: Buffer[] = [];
  const outcome = new Promise<string>((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
  });
  socket.pause();
  socket.write(commands);
  await sleep(1000);
  meanwhile();
  await sleep(300);
  socket.write(MORE);
  await sleep(100);
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  });
  socket.resume();
  const how = await outcome;
  socket.destroy();
  const text = Buffer.concat(chunks).toString('latin1');
  const rest = text.replaceAll(REPLY, '');
  return { replies: (text.length - rest.length) / REPLY.length, rest: rest.slice(0, 100), outcome: how };
}

const TCP = (proxy: RingproxyProcess) => net.connect(proxy.port, '127.0.0.1');
const BY_TLS = (proxy: RingproxyProcess) =>
  tls.connect({ port: proxy.tlsPort, host: '127.0.0.1', ca: authority.cert, checkServerIdentity: () => undefined });
const UNIX = (proxy: RingproxyProcess) => net.connect(proxy.listen.replace(/^unix:/, ''));

const tlsArgs = () => [
  '--tls-listen',
  '127.0.0.1:0',
  '--tls-cert',
  certificate.certFile,
  '--tls-key',
  certificate.keyFile,
];
const unixArgs = () => ['--listen', `unix:${join(tempFolder('last-replies'), 'proxy.sock')}`];
const none = () => [];

interface Kind {
  readonly name: string;
  readonly connect: (proxy: RingproxyProcess) => net.Socket;
  readonly args: () => string[];
  readonly options?: RingproxyOptions;
}

const KINDS: readonly Kind[] = [
  { name: 'one process', connect: TCP, args: none },
  { name: 'two workers', connect: TCP, args: () => ['--workers', '2'] },
  { name: 'plain sockets', connect: TCP, args: none, options: { env: { RINGPROXY_PLAIN_SOCKETS: '1' } } },
  { name: 'a Unix socket', connect: UNIX, args: unixArgs },
  ...(hasOpenssl ? [{ name: 'TLS', connect: BY_TLS, args: tlsArgs }] : []),
];

describe.each(KINDS)('a client that reads late is told all it was to be told: $name', ({ connect, args, options }) => {
  let proxy: RingproxyProcess;

  beforeAll(async () => {
    proxy = await startRingproxy({ nodes: [redis], ...options, args: args() });
    await proxy.client().set('k', VALUE);
  });

  it('when it quits, and sends more', async () => {
    const heard = await readLate(connect(proxy), `${PIPELINE}QUIT\r\n`);
    expect(heard).toEqual({ replies: GETS, rest: '+OK\r\n', outcome: 'end' });
  });

  it('when it breaks the protocol, and sends more', async () => {
    const heard = await readLate(connect(proxy), `${PIPELINE}*1\r\n+\r\n`);
    const rest = "-ERR Protocol error: expected '$', got '+'\r\n";
    expect(heard).toEqual({ replies: GETS, rest, outcome: 'end' });
  });

  it('when the proxy is told to stop', async () => {
    const heard = await readLate(connect(proxy), PIPELINE, () => proxy.kill('SIGTERM'));
    expect(heard).toEqual({ replies: GETS, rest: '', outcome: 'end' });
    expect(await proxy.stop()).toBe(0);
  });
});

it('a client that is not served, and has sent a lot, is told why', async () => {
  const proxy = await startRingproxy({
    nodes: [redis],
    config: 'max-clients-per-address: 1\n',
    allowLog: [/possible attack/],
  });
  const served = await connectOpen(proxy.port);
  for (let i = 0; i < 2; i++) {
    const heard = await readLate(net.connect(proxy.port, '127.0.0.1'), MORE);
    expect(heard).toMatchObject({ rest: expect.stringMatching(/^-ERR max number of clients/), outcome: 'end' });
  }
  served.destroy();
});

it('a client that does not end when it was told to is cut soon, whether it sends more or not', async () => {
  const proxy = await startRingproxy({ nodes: [redis] });
  const [silent, talker] = await Promise.all([connectOpen(proxy.port), connectOpen(proxy.port)]);
  const isCut = (socket: net.Socket) => new Promise((resolve) => socket.on('close', resolve));
  const cuts = [isCut(silent), isCut(talker)];
  const talk = setInterval(() => talker.write(PIPELINE), 50);
  silent.write('QUIT\r\n');
  talker.write('QUIT\r\n');
  await sleep(3000);
  // By now what it sends is answered by the kernel, with a reset.
  const check = setInterval(() => silent.write('PING\r\n'), 50);
  await Promise.all(cuts);
  clearInterval(talk);
  clearInterval(check);
  expect(await proxy.client().ping()).toBe('PONG');
});

/** A client that does not end its side when the other one does. */
function connectOpen(port: number): Promise<net.Socket> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => resolve(socket));
    socket.on('error', () => {});
    socket.resume();
  });
}

it('a value that has come by half does not keep the proxy from ending', async () => {
  const proxy = await startRingproxy({ nodes: [redis], config: 'shutdown-timeout: 60s\n' });
  const client = await connectOpen(proxy.port);
  client.write(`*3\r\n$3\r\nSET\r\n$1\r\nq\r\n$5000000\r\n${'x'.repeat(1_000_000)}`);
  await sleep(500);
  expect(await proxy.stop()).toBe(0);
  client.destroy();
  expect(await redis.client().exists('q')).toBe(0);
});

it('a client that is slow to take what it has asked for is not idle', { timeout: 30_000 }, async () => {
  const proxy = await startRingproxy({ nodes: [redis], config: 'idle-timeout: 1s\n' });
  await proxy.client().set('k', VALUE);
  const socket = net.connect(proxy.port, '127.0.0.1');
  socket.pause();
  socket.write(PIPELINE);
  await sleep(4000);
  let bytes = 0;
  const ended = new Promise((resolve) => socket.on('close', resolve));
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  socket.on('error', () => {});
  socket.resume();
  await ended;
  expect(bytes).toBe(GETS * REPLY.length);
});
