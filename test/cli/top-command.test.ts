import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { LoadView } from '../../src/admin/api.js';
import { atEnd } from '../support/cleanup.js';
import { freePort } from '../support/free-port.js';
import { findProgram } from '../support/programs.js';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { MAIN, startRingproxy } from '../support/ringproxy-process.js';
import { changeView, ringView, startAdmin } from './fake-admin.js';
import { ringproxy } from './run.js';

function loadView(fields: Partial<LoadView> = {}): LoadView {
  const node = { node: 'a', address: '127.0.0.1:7001', up: true, inflight: 3 };
  return {
    ...{ at: '2026-01-01T00:00:00.000Z', seconds: 2, clients: 5, heldClients: 1, eventLoopLagSeconds: 0.0002 },
    ...{ cores: 0.25, residentMemory: 104857600 },
    ...{ commandsPerSecond: 12345.6, errorsPerSecond: 0.25, hitsPerSecond: 90, missesPerSecond: 10 },
    ...{ bytesInPerSecond: 2048, bytesOutPerSecond: 1536.4, keysMovedPerSecond: 0, p50: 0.00024, p99: 0.0012 },
    nodes: [{ ...node, commandsPerSecond: 12345.6, errorsPerSecond: 0, p50: 0.0001, p99: 0.001 }],
    keyGroups: [],
    ...fields,
  };
}

function startFake(asked: string[] = []): Promise<string> {
  return startAdmin((server) => {
    server.get('/v1/ring', () => ringView({ phase: 'moving', change: changeView() }));
    server.get('/v1/load', (request) => {
      asked.push(request.url);
      return loadView();
    });
  });
}

describe('top', () => {
  it('prints one sample where the output is no terminal', async () => {
    const asked: string[] = [];
    const { code, out, err } = await ringproxy(['top', '--interval', '7'], { RINGPROXY_ADMIN: await startFake(asked) });
    expect({ code, err, asked }).toEqual({ code: 0, err: '', asked: ['/v1/load?seconds=7'] });
    expect(out).toMatch(
      /commands 12,346\/s +errors 0\.3\/s +hits 90\.0 % +p50 240 µs +p99 1\.20 ms +clients 5 +held 1/,
    );
    expect(out).toMatch(/add: moving █+░+ 50\.0 % {2}50 keys moved/);
    expect(out).toMatch(/NODE +ADDRESS +STATE +SHARE +LOAD +COMMANDS\/S/);
    expect(out).toMatch(/a +127\.0\.0\.1:7001 +active +100\.0 % +100\.0 % +12,346 +0 +100 µs +1\.00 ms +3 +1,234,567/);
  });

  it('prints one line of JSON a sample, and ends with 0 at Ctrl-C', async () => {
    const admin = await startFake();
    const args = [MAIN, 'top', '--json', '--interval', '1', '--admin', admin];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    atEnd(() => void child.kill('SIGKILL'));
    const lines: string[] = [];
    const exited = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (lines.length === 2) child.kill('SIGINT');
    }
    expect((await exited)[0]).toBe(0);
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      ...{ generation: 1, phase: 'moving', commandsPerSecond: 12345.6, change: { kind: 'add' } },
      nodes: [{ name: 'a', state: 'active', share: 1, keys: 1234567, commandsPerSecond: 12345.6, inflight: 3 }],
    });
  });

  it('ends by itself after so many samples', async () => {
    const call = ['top', '--json', '--interval', '1', '--count', '2'];
    const { code, out } = await ringproxy(call, { RINGPROXY_ADMIN: await startFake() });
    expect([code, out.trim().split('\n').length]).toEqual([0, 2]);
  });

  it('fails where there is no proxy, and when it is called wrongly', async () => {
    const nowhere = { RINGPROXY_ADMIN: `http://127.0.0.1:${await freePort()}` };
    expect(await ringproxy(['top'], nowhere)).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be reached'),
    });
    for (const flags of [
      ['--interval', '0'],
      ['--interval', '301'],
      ['--interval', 'x'],
      ['--count', '0'],
    ]) {
      expect(await ringproxy(['top', ...flags], nowhere)).toMatchObject({ code: 2 });
    }
  });

  it.each(['1', '2'])('agrees with what clients did at a real proxy with %s workers', async (workers) => {
    const proxy = await startRingproxy({ nodes: await startRedises(2), args: ['--workers', workers] });
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 50; i++) await client.command('SET', `k${i}`, 'v');
    for (let i = 0; i < 200; i++) await client.command('GET', `k${i % 100}`);
    // The second in which the last command was answered is measured when it is over.
    const measured = async (): Promise<number> => {
      const load = (await (await fetch(`${proxy.admin}/v1/load?seconds=300`)).json()) as LoadView;
      return Math.round(load.commandsPerSecond * load.seconds);
    };
    await expect.poll(measured).toBe(250);
    const { out } = await ringproxy(['top', '--json', '--count', '1', '--interval', '300', '--admin', proxy.admin]);
    const sample = JSON.parse(out) as LoadView;
    expect(sample.commandsPerSecond * sample.seconds).toBeCloseTo(250, 3);
    expect(sample.hitsPerSecond * sample.seconds).toBeCloseTo(100, 3);
    expect(sample.missesPerSecond * sample.seconds).toBeCloseTo(100, 3);
    const nodes = sample.nodes.reduce((sum, node) => sum + node.commandsPerSecond, 0) * sample.seconds;
    expect(nodes).toBeCloseTo(250, 3);
  });

  const KEYS = [
    ['Ctrl-C', '\x03'],
    ['q', 'q'],
  ] as const;
  it.runIf(findProgram('script') !== null).each(KEYS)('redraws itself on a terminal until %s', async (_name, key) => {
    let samples = 0;
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView());
      server.get('/v1/load', () => loadView({ clients: 1000 + ++samples }));
    });
    const command = `stty rows 40 cols 200; exec ${process.execPath} ${MAIN} top --interval 1 --admin ${admin}`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    atEnd(() => void child.kill('SIGKILL'));
    let text = '';
    let typed = false;
    const exited = once(child, 'exit');
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (typed || !text.includes('1,002')) return;
      // As a person types it.
      child.stdin.write(key);
      typed = true;
    });
    expect((await exited)[0]).toBe(0);
    const [enter, home, leave] = ['?1049h', 'H', '?1049l'].map((code) => `${String.fromCharCode(27)}[${code}`);
    expect(text.indexOf(enter ?? '')).toBeLessThan(text.indexOf('1,001'));
    // It went back to the top to draw the second sample over the first one.
    expect(text.slice(text.indexOf('1,001'), text.indexOf('1,002'))).toContain(home);
    // The terminal is as it was, with the last sample on it.
    const behind = stripVTControlCharacters(text.slice(text.lastIndexOf(leave ?? '')));
    expect(behind).toMatch(/^generation 1, stable.*\s+commands.*clients 1,002/);
  });
});
