/** How the demo ends: also badly, nothing of it stays behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { atEnd } from '../../support/cleanup.js';
import { hasEtcd } from '../../support/etcd-process.js';
import { requireProgram } from '../../support/programs.js';
import { MAIN } from '../../support/ringproxy-process.js';
import { tempFolder } from '../../support/temp-folder.js';
import { ringproxy } from '../run.js';

interface Demo {
  readonly process: ChildProcess;
  /** Where it keeps its temporary folder. */
  readonly folder: string;
  readonly out: () => string;
}

/** Starts it and waits until it writes what `until` finds. */
async function startDemo(until: RegExp, flags: readonly string[] = ['--seconds', '60']): Promise<Demo> {
  const folder = tempFolder('demo');
  const env = { ...process.env, NO_COLOR: '1', TMPDIR: folder };
  const child = spawn(process.execPath, [MAIN, 'demo', ...flags], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  atEnd(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  await vi.waitUntil(() => until.test(out), { timeout: 20_000 });
  return { process: child, folder, out: () => out };
}

/** The processes that a process has started. */
function childrenOf(pid: number | undefined): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return list.split(' ').flatMap((text) => (text === '' ? [] : [Number(text)]));
}

/** A process that has ended may stay in the list until somebody asks what became of it. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe.runIf(existsSync('/proc/self/task'))('the demo leaves nothing behind', () => {
  // Symptom: four servers for ever. Cause: they were ended by the demo itself alone.
  it('when it is killed', { timeout: 180_000 }, async () => {
    const { process: demo, folder } = await startDemo(/try it:/);
    const children = childrenOf(demo.pid);
    expect(children.length).toBeGreaterThanOrEqual(4);
    demo.kill('SIGKILL');
    await vi.waitUntil(() => !children.some(isRunning) && readdirSync(folder).length === 0, { timeout: 10_000 });
  });

  it('when it is stopped while the fourth node joins, and that is no failure', { timeout: 180_000 }, async () => {
    const { process: demo, folder, out } = await startDemo(/node4 joins/);
    const children = childrenOf(demo.pid);
    demo.kill('SIGINT');
    const [code] = await once(demo, 'exit');
    expect(out()).toMatch(/ 0 errors, 0 misses, 0 acknowledged writes lost\n$/);
    expect(code).toBe(0);
    await vi.waitUntil(() => !children.some(isRunning) && readdirSync(folder).length === 0, { timeout: 10_000 });
  });

  it('when it is told twice, at once', { timeout: 180_000 }, async () => {
    const { process: demo, folder } = await startDemo(/commands\/s/);
    const children = childrenOf(demo.pid);
    demo.kill('SIGINT');
    demo.kill('SIGTERM');
    const [code] = await once(demo, 'exit');
    expect(code).toBe(1);
    await vi.waitUntil(() => !children.some(isRunning) && readdirSync(folder).length === 0, { timeout: 10_000 });
  });
});

describe.skipIf(!hasEtcd)('the demo of several proxies', () => {
  it('loses nothing when one is killed while a node joins', { timeout: 180_000 }, async () => {
    const { process: demo, out } = await startDemo(/in front of/, ['--proxies', '3', '--seconds', '8']);
    const [code] = await once(demo, 'exit');
    const told = [/3 proxies in front of/, /node4 joins/, /proxy \w+ is killed/, /done: add node4; generation 2/];
    const after = [/proxy \w+ joins and learns the ring/, /node1 leaves/, /done: remove node1; generation 3/];
    const places = [...told, ...after].map((text) => out().search(text));
    expect(
      places.every((place) => place >= 0),
      out(),
    ).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(out()).toMatch(/ 0 errors, \d+ cut off .*, \d+ told to try again, 0 misses, 0 acknowledged writes lost\n$/);
    expect(code).toBe(0);
  });

  it('says that etcd is missing', async () => {
    const folder = tempFolder('no-etcd');
    symlinkSync(requireProgram('redis-server'), join(folder, 'redis-server'));
    const { code, err } = await ringproxy(['demo', '--proxies', '2'], { PATH: folder });
    expect(err).toMatch(
      /^ringproxy: etcd cannot be started\n {2}install etcd, for example: apt-get install etcd-server/,
    );
    expect(code).toBe(1);
  });

  it.each(['0', '17', 'many', '1.5'])('is not one of %s', async (count) => {
    expect(await ringproxy(['demo', '--proxies', count])).toMatchObject({ code: 2 });
  });
});

describe('the demo', () => {
  // Symptom: it ended with 13 and without a word. Cause: it waited for the exit of what had never started.
  it('says that redis-server is missing', async () => {
    const { code, err } = await ringproxy(['demo'], { PATH: join(tempFolder('empty'), 'none') });
    expect(err).toMatch(/^ringproxy: redis-server cannot be started\n {2}install redis-server/);
    expect(code).toBe(1);
  });

  // Symptom: every command refused, and the demo's ring in the user's state. Cause: its proxy took them for its own.
  it("does not use the settings of the user's proxy", { timeout: 180_000 }, async () => {
    const state = join(tempFolder('state'), 'of-the-user');
    const { code, out } = await ringproxy(['demo', '--seconds', '5'], {
      RINGPROXY_PASSWORD: 'secret',
      RINGPROXY_ADMIN_TOKEN: 'token',
      RINGPROXY_STATE_DIR: state,
    });
    expect(out).toMatch(/ 0 errors, 0 misses, 0 acknowledged writes lost\n$/);
    expect(code).toBe(0);
    expect(existsSync(state)).toBe(false);
  });
});
