// `npm run redis-suite -- DIR [unit...] [--node-names A,B,C]... [--workers N] [--tags=TAGS] [--any-node]
// [--no-build]`: runs the test
// suite of a checkout of Redis' source (DIR; needs `tclsh`) against a single redis-server and through the proxy with
// three nodes, and prints every test that passes there and not here. With --any-node also those that Redis leaves out in a
// cluster, since their keys need not be on one node. Their names decide which node a key falls on: a
// ring is tried for each `--node-names`. Differences that are known stand in redis-suite/known-differences.json with
// their reasons (`workers`: with several of them only; `keyElsewhere`: only where this key is not on the first node, which
// runs scripts without keys, so that the outcome follows from the names; `skip`: the tests behind it could not run; `skipThere`:
// nor there); any
// other one, and a run on a single Redis that is cut, make it exit with 1. The units `acl` and `acl-v2` run by
// redis-suite/acl-stand-in.mjs, with a proxy whose users are those of a file.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { buildIfStale } from '../../cli/bootstrap/build.mjs';
import { fail, requireNode, root } from '../../cli/bootstrap/project.mjs';
import { startAclStandIn } from './redis-suite/acl-stand-in.mjs';

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
  ...['acl', 'acl-v2'],
];
/** They make users by commands, which the proxy has in its configuration. */
const CHANGES_USERS = new Set(['acl', 'acl-v2']);
const NODE_NAMES = 'node1,node2,node3';
/** What needs replicas or files, a server of its own, or minutes. */
const TAGS = '-needs:repl -needs:save -large-memory -slow -external:skip';
const UNIT_MS = 120_000;
/** A run without a word for so long is cut; on a busy machine one fuzzy test takes half a minute. */
const SILENT_S = 60;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'node-names': { type: 'string', multiple: true, default: [NODE_NAMES] },
    workers: { type: 'string', default: '1' },
    tags: { type: 'string', default: TAGS },
    logs: { type: 'string', default: join(root, '.cache/redis-suite') },
    'no-build': { type: 'boolean', default: false },
    'any-node': { type: 'boolean', default: false },
  },
});
const [source, ...chosen] = positionals;
requireNode();
if (source === undefined || !existsSync(join(source, 'tests/test_helper.tcl'))) {
  fail("Usage: npm run redis-suite -- DIR [unit...], where DIR is a checkout of Redis' source.");
}
if (!values['no-build'] && buildIfStale({ checkTypes: false }) !== 0) fail('The build failed: see the messages above.');

const rings = values['node-names'].map((names) => names.split(','));
const differences = JSON.parse(readFileSync(join(root, 'test/scripts/redis-suite/known-differences.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'redis-suite-'));
const children = [];
let unexpected = 0;
let cut = 0;
mkdirSync(values.logs, { recursive: true });
let passedThere = 0;
const passedHere = rings.map(() => 0);
try {
  for (const unit of chosen.length === 0 ? UNITS : chosen.map((name) => name.replace(/^unit\//, ''))) {
    // What a unit leaves behind, such as a script that never ends, must not disturb the next one.
    const there = await withServers(
      () => startRedis('single'),
      (port) => runUnit(unit, port, 'single', leftOutThere(unit)),
    );
    passedThere += there.passed.length;
    if (!there.ended) {
      console.log(`CUT ${unit}: the run on a single Redis did not come to its end, and later tests are not compared`);
      cut++;
    }
    for (const [i, names] of rings.entries()) {
      let known = {};
      const here = await withServers(
        () => (CHANGES_USERS.has(unit) ? startProxyWithUsers(names) : startProxy(names)),
        async ({ port, admin }) => {
          known = await knownDifferences(unit, names, admin);
          // One that fails half-way may leave behind what keeps the others from running.
          const skipped = Object.keys(known).filter((name) => known[name].skip);
          return runUnit(unit, port, `proxy.${names.join('-')}`, skipped);
        },
      );
      passedHere[i] += here.passed.length;
      unexpected += report(unit, names, known, there.passed, here.passed);
    }
  }
  const each = rings.map((names, i) => `${passedHere[i]} here (${names.join(', ')})`).join(', ');
  console.log(
    `total: ${passedThere} pass on a single Redis, ${each}, ${unexpected} differences not known, ${cut} units cut`,
  );
} finally {
  endServers();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = unexpected + cut === 0 ? 0 : 1;

/** @returns tests of the unit that a single Redis fails, too, so that those behind them would not run */
function leftOutThere(unit) {
  const known = Object.entries(differences[unit] ?? {});
  return known.filter(([, difference]) => difference.skipThere === true).map(([name]) => name);
}

/** @returns those of the unit that are to be expected of these nodes, by test */
async function knownDifferences(unit, names, admin) {
  const known = {};
  for (const [name, difference] of Object.entries(differences[unit] ?? {})) {
    const { workers = false, keyElsewhere } = difference;
    if (workers && Number(values.workers) === 1) continue;
    if (keyElsewhere !== undefined && (await ownerOf(keyElsewhere, admin)) === names[0]) continue;
    known[name] = difference;
  }
  return known;
}

/** @returns the name of the node that owns the key */
async function ownerOf(key, admin) {
  const answer = await fetch(`${admin}/v1/ring/which?key=${encodeURIComponent(key)}`);
  if (!answer.ok) throw new Error(`ring/which: ${await answer.text()}`);
  return (await answer.json())[0].node;
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

/**
 * Of a unit that Redis leaves out where the server is not its own, and that runs there all the same by the stand-in: its
 * first part, since the others start servers with users of files.
 * @returns a folder like that of the source, with this unit in the place of its own
 */
function forAnyServer(unit) {
  const copy = join(folder, 'source');
  if (!existsSync(copy)) {
    mkdirSync(copy);
    for (const name of readdirSync(source)) {
      if (name === 'tests') cpSync(join(source, name), join(copy, name), { recursive: true });
      else symlinkSync(join(source, name), join(copy, name));
    }
  }
  const [, first] = /^([\s\S]+?\n\}\n)(?:[^\n]*\n){0,20}?start_server /.exec(
    readFileSync(join(source, `tests/unit/${unit}.tcl`), 'utf8'),
  );
  writeFileSync(join(copy, `tests/unit/${unit}.tcl`), first.replace(' external:skip', ''));
  return copy;
}

/** @returns the names of the tests that passed, in their order, and whether the run came to its end */
async function runUnit(unit, port, target, skipped) {
  const log = join(values.logs, `${unit.replaceAll('/', '_')}.${target}.log`);
  const args = ['tests/test_helper.tcl', '--host', '127.0.0.1', '--port', String(port), '--singledb'];
  if (!values['any-node']) args.push('--cluster-mode');
  args.push(
    '--ignore-encoding',
    '--ignore-digest',
    '--tags',
    values.tags,
    '--single',
    `unit/${unit}`,
    '--timeout',
    String(SILENT_S),
  );
  args.push('--dont-clean', '--baseport', String(await freePort()));
  for (const name of skipped) args.push('--skiptest', name);
  const lines = [];
  const cwd = CHANGES_USERS.has(unit) ? forAnyServer(unit) : source;
  const child = spawn('tclsh', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => lines.push(chunk));
  // The suite starts servers of its own processes: the whole group ends with it.
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), UNIT_MS);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  const text = stripVTControlCharacters(Buffer.concat(lines).toString('utf8'));
  writeFileSync(log, text);
  const passed = [...text.matchAll(/^\[ok\]: (.*?)(?: \(\d+ ms\))?$/gm)].map((match) => match[1]);
  return {
    passed,
    ended:
      /^(?:\\o\/ All tests passed|!!! WARNING)/m.test(text) && !/^(?:\*\*\* )?\[(?:TIMEOUT|exception)\]/m.test(text),
  };
}

/** Prints what passes there and not here. @returns how many of these are not known */
function report(unit, names, known, there, here) {
  const left = [...here];
  const missing = there.filter((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const fresh = missing.filter((name) => known[name] === undefined);
  console.log(
    `${unit} (${names.join(', ')}): ${there.length} there, ${here.length} here, ${missing.length} missing, ${fresh.length} not known`,
  );
  for (const name of missing) console.log(`  ${known[name] === undefined ? 'MISSING' : 'known  '} ${name}`);
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

async function startProxyWithUsers(names) {
  const usersFile = join(mkdtempSync(join(folder, 'users-')), 'users.acl');
  // As a Redis begins.
  writeFileSync(usersFile, 'user default on nopass ~* &* +@all\n');
  const {
    port: proxyPort,
    admin,
    child,
  } = await startProxy(names, {
    RINGPROXY_USERS_FILE: usersFile,
    RINGPROXY_USER_SCRIPTS: 'allow',
  });
  const referee = await startRedis('referee');
  const reload = () =>
    new Promise((resolve) => {
      let text = '';
      const onData = (chunk) => {
        text += chunk;
        if (!/was read again/.test(text)) return;
        child.stderr.off('data', onData);
        if (/changes nothing/.test(text)) console.log(`  users that the proxy does not take: ${text}`);
        resolve();
      };
      child.stderr.on('data', onData);
      child.kill('SIGHUP');
    });
  const { port } = await startAclStandIn({ proxyPort, referee, usersFile, reload });
  return { port, admin };
}

async function startProxy(names, env = {}) {
  const ports = await Promise.all(names.map(startRedis));
  const nodes = ports.flatMap((port, i) => ['--node', `${names[i]}=127.0.0.1:${port}`]);
  const args = [join(root, 'dist/cli/main.js'), 'serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...nodes];
  args.push(
    '--admin-commands',
    'allow',
    '--workers',
    values.workers,
    '--state-dir',
    mkdtempSync(join(folder, 'state-')),
  );
  const line = await start(process.execPath, args, /^\{"event":"ready".*$/m, env);
  const { listen, admin } = JSON.parse(line);
  return { port: Number(listen.split(':').at(-1)), admin, child: children.at(-1) };
}

/** Starts a program that ends with this one. @returns what `ready` matched in its output */
function start(program, args, ready, env = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
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
