/**
 * Takes the pictures of the documentation: the page and `ringproxy top`, of a proxy with load whose ring changes.
 *
 *   npm run build && npm run pictures        needs redis-server and chromium
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PICTURES = join(ROOT, 'src/docs/pictures');
const MAIN = join(ROOT, 'dist/cli/main.js');
/** As in a terminal, by the numbers of its colours. */
const COLORS = {
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
  90: '#8b949e',
};
const SGR = new RegExp(`${String.fromCharCode(27)}\\[([\\d;]*)m`);
const KEYS = 40_000;

const ends = [];
const folder = mkdtempSync(join(tmpdir(), 'ringproxy-pictures-'));
ends.push(() => rmSync(folder, { recursive: true, force: true }));

function start(program, args) {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  ends.push(() => child.kill());
  return child;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function startNode() {
  const port = await freePort();
  const child = start('redis-server', ['--port', String(port), '--save', '', '--dir', folder]);
  for await (const text of child.stdout) if (String(text).includes('Ready to accept connections')) break;
  return port;
}

async function startProxy(nodes) {
  const args = [MAIN, 'serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-level', 'error'];
  const child = start(process.execPath, [...args, ...nodes.flatMap((node) => ['--node', node])]);
  const [line] = await once(child.stdout, 'data');
  return JSON.parse(String(line));
}

/** Reads and writes until the function that it returns is called; one key is hotter than the others. */
function load(port) {
  const client = new Redis(port, { retryStrategy: () => 100 });
  client.on('error', () => {});
  let goesOn = true;
  const one = () => {
    const key = Math.random() < 0.05 ? 'page:start' : `user:${Math.floor(Math.random() * KEYS * 1.05)}`;
    return Math.random() < 0.1 ? client.set(key, 'x'.repeat(100)) : client.get(key);
  };
  const done = (async () => {
    while (goesOn) {
      await Promise.all(Array.from({ length: 40 }, one)).catch(() => {});
      await wait(8);
    }
    client.disconnect();
  })();
  return () => {
    goesOn = false;
    return done;
  };
}

const escaped = (text) => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** @returns HTML of what a terminal would show */
function htmlOf(text) {
  let style = '';
  const parts = text.split(SGR).map((part, at) => {
    // What the pattern holds stands between the pieces.
    if (at % 2 === 0) return `<span style="${style}">${escaped(part)}</span>`;
    for (const one of part.split(';').map(Number)) {
      if (one === 1) style += 'font-weight:bold;';
      else if (one === 2) style += 'color:#8b949e;';
      else if (one in COLORS) style += `color:${COLORS[one]};`;
      else style = '';
    }
    return '';
  });
  return `<pre id="terminal" style="display:inline-block;margin:0;padding:16px 20px;border-radius:8px;background:#0d1117;color:#e6edf3;font:15px/1.35 'DejaVu Sans Mono',monospace">${parts.join('')}</pre>`;
}

try {
  mkdirSync(PICTURES, { recursive: true });
  const ports = await Promise.all(Array.from({ length: 5 }, startNode));
  const names = ['cache-a', 'cache-b', 'cache-c', 'cache-d', 'cache-e'];
  const { listen, admin } = await startProxy(names.slice(0, 4).map((name, i) => `${name}=127.0.0.1:${ports[i]}`));
  const port = Number(listen.split(':').at(-1));
  const client = new Redis(port);
  const pipeline = client.pipeline();
  for (let i = 0; i < KEYS; i++) pipeline.set(`user:${i}`, 'x'.repeat(100));
  pipeline.set('page:start', 'x'.repeat(100));
  await pipeline.exec();
  client.disconnect();
  const endLoad = load(port);
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  ends.push(() => browser.close());
  const open = async (colorScheme) => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, colorScheme });
    await page.goto(admin);
    return page;
  };
  const [light, dark] = [await open('light'), await open('dark')];
  // So much is in the plots.
  await wait(40_000);
  const change = { kind: 'add', add: [{ name: 'cache-e', address: `127.0.0.1:${ports[4]}` }], throttle: 400 };
  const headers = { 'content-type': 'application/json' };
  await fetch(`${admin}/v1/ring/changes`, { method: 'POST', headers, body: JSON.stringify(change) });
  await wait(8000);
  for (const [name, page] of Object.entries({ light, dark })) {
    await page.screenshot({ path: join(PICTURES, `page-${name}.png`) });
  }
  const env = { ...process.env, FORCE_COLOR: '1', COLUMNS: '100' };
  const top = execFileSync(process.execPath, [MAIN, 'top', '--admin', admin], { env, encoding: 'utf8' });
  const terminal = await browser.newPage({ deviceScaleFactor: 1.5 });
  await terminal.setContent(htmlOf(`$ ringproxy top\n${top.trimEnd()}`));
  await terminal.locator('#terminal').screenshot({ path: join(PICTURES, 'top.png'), omitBackground: true });
  await endLoad();
} finally {
  for (const end of ends.reverse()) await end();
}
