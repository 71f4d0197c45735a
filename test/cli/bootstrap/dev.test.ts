/** `npm run dev` in a copy of the project, whose sources may be changed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, vi } from 'vitest';
import { atEnd } from '../../support/cleanup.js';
import { RawClient } from '../../support/raw-client.js';
import { ROOT } from '../../support/root.js';
import { tempFolder } from '../../support/temp-folder.js';

const COPIED = ['cli', 'src', 'dist', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
const TIMEOUT = 300_000;

interface Dev {
  readonly process: ChildProcess;
  /** The folder of the copy. */
  readonly folder: string;
  /** Where its servers have their files. */
  readonly temp: string;
  /** Waits for a line that it prints after those that were waited for before. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
}

function startDev(): Dev {
  const folder = tempFolder('dev');
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const temp = tempFolder('dev-servers');
  const flags = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-level', 'error'];
  const child = spawn(process.execPath, [join(folder, 'cli/bootstrap/dev.mjs'), ...flags], {
    env: { ...process.env, NO_COLOR: '1', TMPDIR: temp },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  atEnd(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    folder,
    temp,
    line: async (pattern) => {
      for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
        const found = pattern.exec(next.value);
        if (found !== null) return found;
      }
      throw new Error(`it ended before it printed ${pattern}`);
    },
  };
}

/** Waits for the line that says where the proxy is. */
async function addresses(dev: Dev): Promise<{ readonly port: number; readonly admin: string }> {
  const [, port, admin = ''] = await dev.line(/redis-cli -p (\d+) +(http:\S+)/);
  return { port: Number(port), admin };
}

async function versionAt(admin: string): Promise<unknown> {
  const stats: unknown = await (await fetch(`${admin}/v1/stats`)).json();
  return typeof stats === 'object' && stats !== null ? Reflect.get(stats, 'version') : null;
}

/** The processes that were started with this folder for temporary files. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return (
        environment.includes(`TMPDIR=${folder}\0`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
      );
    } catch {
      return false;
    }
  });
}

describe('npm run dev', () => {
  it('starts the proxy anew with what has changed; keys stay; Ctrl-C ends everything', {
    timeout: TIMEOUT,
  }, async () => {
    const dev = startDev();
    const first = await addresses(dev);
    const client = await RawClient.connect(first.port);
    expect(await client.text('SET', 'kept', 'yes')).toBe('+OK\r\n');

    const manifest = join(dev.folder, 'package.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"version": "[^"]+"/, '"version": "9.9.9"'));
    await dev.line(/starts anew/);
    const second = await addresses(dev);
    expect(await versionAt(second.admin)).toBe('9.9.9');
    const again = await RawClient.connect(second.port);
    expect(await again.text('GET', 'kept')).toBe('$3\r\nyes\r\n');

    writeFileSync(join(dev.folder, 'src/version.ts'), 'export const = ;\n');
    await dev.line(/the build failed: the proxy of before goes on/);
    expect(await versionAt(second.admin)).toBe('9.9.9');

    dev.process.kill('SIGINT');
    expect(await once(dev.process, 'exit')).toEqual([0, null]);
    if (existsSync('/proc/self/environ')) {
      await vi.waitUntil(() => processesIn(dev.temp).length === 0, { timeout: 30_000 });
    }
    expect(readdirSync(dev.temp)).toEqual([]);
  });
});
