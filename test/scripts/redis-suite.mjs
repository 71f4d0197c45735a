// `npm run redis-suite -- DIR [unit...] [--workers N] [--tags=TAGS] [--no-build]`: runs the test suite of a checkout of Redis' source
// (DIR; needs `tclsh`) against a single redis-server and through the proxy with three nodes, and prints every test that
// passes there and not here. Differences that are known stand in redis-suite/known-differences.json with their
// reasons (`workers`: with several of them only; `skip`: the tests behind it could not run); any other one makes it
// exit with 1.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { buildIfStale } from '../../cli/bootstrap/build.mjs';
import { fail, requireNode, root } from '../../cli/bootstrap/project.mjs';

/** The units of the suite that can run against a server that is not their own. */
const UNITS = [
  ...['string', 'incr', 'list', 'list-2', 'list-3', 'set', 'zset', 'hash', 'stream', 'stream-cgroups'].map(
    (unit) => `type/${unit}`,
  ),
  ...[
    'sort',
    'expire',
    'keyspace',
    'scan',
    'other',
    'multi',
    'quit',
    'protocol',
    'dump',
    'auth',
    'pubsub',
    'scripting',
  ],
  ...['functions', 'introspection', 'introspection-2', 'bitops', 'bitfield', 'geo', 'hyperloglog', 'querybuf'],
  ...['limits', 'tracking', 'info-command', 'pubsubshard', 'lazyfree', 'wait', 'slowlog', 'pause', 'latency-monitor'],
];
const NODES = 3;
/** What needs replicas or files, a server of its own, or minutes. */
const TAGS = '-needs:repl -needs:save -large-memory -slow -external:skip';
const UNIT_MS = 120_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '1' },
    tags: { type: 'string', default: TAGS },
    logs: { type: 'string', default: join(root, '.cache/redis-suite') },
    'no-build': { type: 'boolean', default: false },
  },
});
const [source, ...chosen] = positionals;
requireNode();
if (source === undefined || !existsSync(join(source, 'tests/test_helper.tcl'))) {
  fail("Usage: npm run redis-suite -- DIR [unit...], where DIR is a checkout of Redis' source.");
}
if (!values['no-build'] && buildIfStale({ checkTypes: false }) !== 0) fail('The build failed: see the messages above.');

const known = knownDifferences(Number(values.workers));
const folder = mkdtempSync(join(tmpdir(), 'redis-suite-'));
const children = [];
let unexpected = 0;
mkdirSync(values.logs, { recursive: true });
const totals = { single: 0, proxy: 0 };
try {
  for (const unit of chosen.length === 0 ? UNITS : chosen.map((name) => name.replace(/^unit\//, ''))) {
    // What a unit leaves behind, such as a script that never ends, must not disturb the next one.
    const there = await withServers(
      () => startRedis('single'),
      (port) => runUnit(unit, port, 'single', []),
    );
    // One that fails half-way may leave behind what keeps the others from running.
    const skipped = Object.entries(known[unit] ?? {}).flatMap(([name, { skip }]) => (skip ? [name] : []));
    const here = await withServers(startProxy, (port) => runUnit(unit, port, 'proxy', skipped));
    totals.single += there.length;
    totals.proxy += here.length;
    unexpected += report(unit, there, here);
  }
  console.log(
    `total: ${totals.single} pass on a single Redis, ${totals.proxy} here, ${unexpected} differences not known`,
  );
} finally {
  endServers();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = unexpected === 0 ? 0 : 1;

/** @returns by unit and test */
function knownDifferences(workers) {
  const all = JSON.parse(readFileSync(join(root, 'test/scripts/redis-suite/known-differences.json'), 'utf8'));
  return Object.fromEntries(
    Object.entries(all).map(([unit, tests]) => [
      unit,
      Object.fromEntries(Object.entries(tests).filter(([, difference]) => workers > 1 || !difference.workers)),
    ]),
  );
}

async function withServers(start, run) {
  try {
    return await run(await start());
  } finally {
    endServers();
  }
}

function endServers() {
  for (const child of children.splice(0)) {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
}

/** @returns the names of the tests that passed, in their order */
async function runUnit(unit, port, target, skipped) {
  const log = join(values.logs, `${unit.replaceAll('/', '_')}.${target}.log`);
  const args = ['tests/test_helper.tcl', '--host', '127.0.0.1', '--port', String(port), '--cluster-mode', '--singledb'];
  args.push(
    '--ignore-encoding',
    '--ignore-digest',
    '--tags',
    values.tags,
    '--single',
    `unit/${unit}`,
    '--timeout',
    '30',
  );
  args.push('--dont-clean', '--baseport', String(await freePort()));
  for (const name of skipped) args.push('--skiptest', name);
  const lines = [];
  const child = spawn('tclsh', args, { cwd: source, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => lines.push(chunk));
  // The suite starts servers of its own processes: the whole group ends with it.
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), UNIT_MS);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  const text = stripVTControlCharacters(Buffer.concat(lines).toString('utf8'));
  writeFileSync(log, text);
  return [...text.matchAll(/^\[ok\]: (.*?)(?: \(\d+ ms\))?$/gm)].map((match) => match[1]);
}

/** Prints what passes there and not here. @returns how many of these are not known */
function report(unit, there, here) {
  const left = [...here];
  const missing = there.filter((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const reasons = known[unit] ?? {};
  const fresh = missing.filter((name) => reasons[name] === undefined);
  console.log(
    `${unit}: ${there.length} there, ${here.length} here, ${missing.length} missing, ${fresh.length} not known`,
  );
  for (const name of missing) console.log(`  ${reasons[name] === undefined ? 'MISSING' : 'known  '} ${name}`);
  return fresh.length;
}

async function startRedis(name) {
  const port = await freePort();
  mkdirSync(join(folder, name), { recursive: true });
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    join(folder, name),
  ];
  await start('redis-server', [...args, '--enable-debug-command', 'local'], /Ready to accept connections/);
  return port;
}

async function startProxy() {
  const ports = await Promise.all(Array.from({ length: NODES }, (_, i) => startRedis(`node${i + 1}`)));
  const nodes = ports.flatMap((port, i) => ['--node', `node${i + 1}=127.0.0.1:${port}`]);
  const args = [join(root, 'dist/cli/main.js'), 'serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...nodes];
  args.push(
    '--admin-commands',
    'allow',
    '--workers',
    values.workers,
    '--state-dir',
    mkdtempSync(join(folder, 'state-')),
  );
  const line = await start(process.execPath, args, /^\{"event":"ready".*$/m);
  return Number(JSON.parse(line).listen.split(':').at(-1));
}

/** Starts a program that ends with this one. @returns what `ready` matched in its output */
function start(program, args, ready) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    let output = '';
    const onData = (chunk) => {
      output = (output + chunk).slice(-20_000);
      const match = ready.exec(output);
      if (match !== null) resolve(match[0]);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', (chunk) => {
      output = (output + chunk).slice(-20_000);
    });
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}:\n${output}`)));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
