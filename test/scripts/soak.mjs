// `npm run soak -- [--minutes 30] [--every 120] [--workers 1]`: clients come and go by the thousand (tracking, with and
// without BCAST, subscribed, waiting, with scripts, with large arguments, following events), and the proxy's memory is
// printed. It must level off: exits with 1 when what is still held after a collection grows in the second half.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildIfStale } from '../../cli/bootstrap/build.mjs';
import { environment, fail, requireNode, root } from '../../cli/bootstrap/project.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    every: { type: 'string', default: '120' },
    workers: { type: 'string', default: '1' },
    main: { type: 'string', default: join(root, 'dist/cli/main.js') },
  },
});
const [minutes, every, workers] = [Number(values.minutes), Number(values.every), Number(values.workers)];
const NODES = 3;
/** New clients of each kind in a second. */
const RATE = 25;
const LIFE_MS = 1000;
const LARGE_BYTES = 20_000_000;
const LARGE_EVERY_MS = 10_000;
/** What the second half may hold more than the first, after a collection. Bytes. */
const TOLERANCE = 8 << 20;

requireNode();
if (buildIfStale({ checkTypes: false }) !== 0) fail('The build failed: see the messages above.');
const dir = mkdtempSync(join(tmpdir(), 'ringproxy-soak-'));
const children = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});
process.on('SIGINT', () => process.exit(130));

const nodes = [];
for (let i = 0; i < NODES; i++) nodes.push(await startRedis());
const proxy = await startProxy();
const admin = Number(new URL(proxy.admin).port);
const counts = { clients: 0, failed: 0 };
let number = 0;
const keeper = connect(proxy.port);
const KINDS = [tracks, broadcasts, subscribes, waits, scripts];
const timers = [
  setInterval(() => {
    for (const kind of KINDS) kind(number++);
  }, 1000 / RATE),
  setInterval(() => changeKeys(), 50),
  setInterval(() => sendLarge(), LARGE_EVERY_MS),
  setInterval(() => followEvents(), 5000),
];

console.log('minute  clients  failed  rss    heap   external  after a collection: heap  external');
const rows = [];
const since = Date.now();
for (let row = 0; row <= (minutes * 60) / every; row++) {
  await delay(since + row * every * 1000 + (row === 0 ? 2000 : 0) - Date.now());
  const { before, after, rss } = await sample();
  rows.push(after.heapUsed + after.external);
  const mb = (bytes, width) => `${Math.round(bytes / 1e6)}`.padEnd(width);
  console.log(
    [
      `${Math.round((row * every) / 6) / 10}`.padEnd(7),
      `${counts.clients}`.padEnd(8),
      `${counts.failed}`.padEnd(7),
      mb(rss, 6),
      mb(before.heapUsed, 6),
      mb(before.external, 29),
      mb(after.heapUsed, 5),
      mb(after.external, 5),
    ].join(' '),
  );
}
for (const timer of timers) clearInterval(timer);
// The first quarter fills what is bounded.
const settled = rows.slice(Math.ceil(rows.length / 4));
const middle = settled.length >> 1;
const grown = mean(settled.slice(middle)) - mean(settled.slice(0, middle));
console.log(`held after a collection: ${Math.round(grown / 1e5) / 10} MB more in the second half`);
process.exit(grown > TOLERANCE ? 1 : 0);

function mean(numbers) {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

/** A client that tracks what it reads: a key that all read, and keys of its own. */
function tracks(i) {
  const keys = ['shared', `common:${i % 100}`, ...Array.from({ length: 10 }, (_, k) => `own:${i}:${k}`)];
  visit([['HELLO', '3'], ['CLIENT', 'TRACKING', 'ON'], ...keys.map((key) => ['GET', key])]);
}

function broadcasts(i) {
  visit([
    ['HELLO', '3'],
    ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', `own:${i}:`, 'PREFIX', `common:${i % 100}:`],
  ]);
}

function subscribes(i) {
  visit([
    ['SUBSCRIBE', `channel:${i}`, 'everybody'],
    ['PSUBSCRIBE', `pattern:${i}:*`],
  ]);
}

function waits(i) {
  visit([['BLPOP', `list:${i}`, '0']]);
}

function scripts(i) {
  visit([
    ['EVAL', `return ${i} -- ${'x'.repeat(i % 3000)}`, '1', `k:${i}`],
    ['MULTI'],
    ['SET', `k:${i}`, '1', 'EX', '10'],
    ['EXEC'],
  ]);
}

function changeKeys() {
  keeper.write(
    encode([
      ['SET', `common:${Math.floor(Math.random() * 100)}`, 'v'],
      ['SET', `own:${number}:${Math.floor(Math.random() * 10)}`, 'v', 'EX', '10'],
      ['PUBLISH', 'everybody', 'm'],
    ]),
  );
}

function sendLarge() {
  visit([['EVAL', 'return #ARGV[1]', '1', 'large', Buffer.alloc(LARGE_BYTES)]]);
}

/** One that reads nothing for a while. */
function followEvents() {
  const socket = connect(admin);
  socket.pause();
  socket.write('GET /v1/events?channel=ringproxy:command:answered HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  setTimeout(() => socket.destroy(), 20_000);
}

/** A client that comes, sends this, stays for a while, and goes. */
function visit(commands) {
  counts.clients++;
  const socket = connect(proxy.port);
  socket.write(encode(commands));
  setTimeout(() => socket.destroy(), LIFE_MS * (0.5 + Math.random()));
}

function connect(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => counts.failed++);
  socket.on('data', () => {});
  return socket;
}

function encode(commands) {
  const parts = [];
  for (const words of commands) {
    parts.push(Buffer.from(`*${words.length}\r\n`));
    for (const word of words) {
      const bytes = Buffer.from(word);
      parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
    }
  }
  return Buffer.concat(parts);
}

/** What all processes of the proxy hold together. */
async function sample() {
  const pids = [proxy.pid, ...childrenOf(proxy.pid)];
  const rss = pids.reduce((sum, pid) => sum + residentMemory(pid), 0);
  const files = join(dir, 'probes');
  rmSync(files, { recursive: true, force: true });
  mkdirSync(files);
  for (const pid of pids) process.kill(pid, 'SIGUSR2');
  while (readdirSync(files).length < pids.length) await delay(20);
  await delay(50);
  const add = (a, b) => ({ heapUsed: a.heapUsed + b.heapUsed, external: a.external + b.external });
  let [before, after] = [
    { heapUsed: 0, external: 0 },
    { heapUsed: 0, external: 0 },
  ];
  for (const file of readdirSync(files)) {
    const figures = JSON.parse(readFileSync(join(files, file), 'utf8'));
    before = add(before, figures.before);
    after = add(after, figures.after);
  }
  return { before, after, rss };
}

function residentMemory(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

async function startRedis() {
  const port = await freePort();
  const folder = join(dir, `${port}`);
  mkdirSync(folder);
  start('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder], 'ignore');
  return port;
}

async function startProxy() {
  const child = start(
    process.execPath,
    [
      ...['--import', pathToFileURL(join(root, 'test/scripts/soak-probe.mjs')).href, values.main, 'serve'],
      ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--workers', `${workers}`],
      ...['--state-dir', join(dir, 'state'), '--log-level', 'error'],
      ...nodes.flatMap((port, i) => ['--node', `node${i}=127.0.0.1:${port}`]),
    ],
    'pipe',
  );
  const line = await new Promise((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))));
  const ready = JSON.parse(line);
  return { pid: child.pid, port: Number(ready.listen.split(':').at(-1)), admin: ready.admin };
}

function start(program, args, stdout) {
  const env = { ...environment, SOAK_DIR: join(dir, 'probes') };
  const child = spawn(program, args, { stdio: ['ignore', stdout, 'inherit'], env });
  child.once('exit', (code) => fail(`${program} ended with ${code}`));
  children.push(child);
  return child;
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function delay(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
}
