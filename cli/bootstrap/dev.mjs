// `npm run dev`: three nodes and a proxy. When a source changes, the proxy is built and started anew; the nodes, their
// keys and the ring stay. Ctrl-C ends all of them. Flags go to `serve`: `npm run dev -- --workers 2 --log-level debug`.
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtFingerprint } from './build.mjs';
import { ensurePrograms } from './programs.mjs';
import { environment, fail, requireNode, root } from './project.mjs';
import { prepare } from './ringproxy.mjs';

/** Editors write a file in several steps, and often several files. */
const QUIET_MS = 100;
const SOURCES = ['src', 'cli', 'package.json'];
/** The ports that everything else asks for by itself, and a ring that outlives the proxy, in the servers' folder. */
const FLAGS = [
  '--listen',
  '127.0.0.1:6380',
  '--admin',
  '127.0.0.1:6390',
  '--log-level',
  'info',
  '--state-dir',
  'state',
];

requireNode();
ensurePrograms(['redis-server']);
prepare();
process.env.PATH = environment.PATH;

const { DemoServers } = await import(pathToFileURL(join(root, 'dist/cli/demo/servers.js')).href);
const servers = new DemoServers();
const stop = new AbortController();
process.on('SIGINT', askToStop);
process.on('SIGTERM', askToStop);
const changes = watchSources();

let nodes = [];
let proxy = null;
try {
  nodes = await Promise.all(['node1', 'node2', 'node3'].map((name) => servers.startNode(name)));
  say(nodes.map(({ name, port }) => `${name} 127.0.0.1:${port}`).join('  '));
  await startProxy();
} catch (error) {
  await servers.stop();
  fail(error.message);
}
while (await changes.next(stop.signal)) await update();
say('stops');
await servers.stop();
process.exit(0);

/** Builds what has changed, and starts the proxy anew with it. What fails is told; the next change may mend it. */
async function update() {
  const before = builtFingerprint();
  const status = await buildIfStale();
  if (stop.signal.aborted) return;
  if (status !== 0) return say('the build failed: the proxy of before goes on');
  if (builtFingerprint() === before) return;
  say('starts anew');
  const old = proxy;
  proxy = null;
  try {
    if (old !== null) await servers.end(old.child);
    await startProxy();
  } catch (error) {
    say(`${error.message}: waiting for a change`);
  }
}

async function startProxy() {
  const started = await servers.startProxy(nodes, { flags: [...FLAGS, ...process.argv.slice(2)], log: 'stderr' });
  proxy = started;
  started.child.once('exit', (code, signal) => {
    if (proxy === started && !stop.signal.aborted) say(`the proxy has ended (${code ?? signal}); waiting for a change`);
  });
  say(`redis-cli -p ${proxy.port}    ${proxy.admin}    npm run events -- --admin ${proxy.admin}`);
}

/** In a process of its own, so that Ctrl-C is heard meanwhile. @returns its exit code */
function buildIfStale() {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'cli/bootstrap/build.mjs'), '--if-stale'], {
      stdio: 'inherit',
      signal: stop.signal,
    });
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** `next` waits until sources have changed and are left alone; false when `signal` was given instead. */
function watchSources() {
  let timer = null;
  let changed = false;
  let wake = () => {};
  for (const source of SOURCES) {
    watch(join(root, source), { recursive: source !== 'package.json' }, () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        changed = true;
        wake();
      }, QUIET_MS);
    });
  }
  return {
    async next(signal) {
      while (!changed && !signal.aborted) {
        await new Promise((resolve) => {
          wake = resolve;
          signal.addEventListener('abort', resolve, { once: true });
        });
      }
      changed = false;
      return !signal.aborted;
    },
  };
}

function askToStop() {
  // Whoever asks twice does not want to wait.
  if (stop.signal.aborted) process.exit(1);
  stop.abort();
}

function say(text) {
  console.log(`dev: ${text}`);
}
