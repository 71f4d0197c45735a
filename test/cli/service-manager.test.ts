/** What a service manager hears: of the program itself, on a socket of the test's. */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { ServiceManager } from '../../cli/service-manager.js';
import { atEnd } from '../support/cleanup.js';
import { startRedises } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

/** systemd's side of it: Node.js has no datagram sockets of this kind, Python has. Each message becomes a line. */
const LISTENER = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('LISTENING', flush=True)
while True:
    text, extra, _, _ = s.recvmsg(4096, 1024)
    # Whoever asks for a barrier waits until the descriptor that came with it is closed.
    for level, kind, data in extra:
        if kind == socket.SCM_RIGHTS:
            for one in array.array('i', data): os.close(one)
    print(text.decode().replace('\\n', ' '), flush=True)
`;

const isThere = (program: string, argument: string): boolean => {
  try {
    execFileSync(program, [argument], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const CAN = isThere('systemd-notify', '--version') && isThere('python3', '--version');

async function listen(): Promise<{ path: string; heard: (pattern: RegExp) => Promise<string> }> {
  const path = join(tempFolder('notify'), 'socket');
  const child = spawn('python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(() => void child.kill());
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  const heard = async (pattern: RegExp): Promise<string> => {
    await expect.poll(() => lines.find((line) => pattern.test(line)), { timeout: 20_000 }).toBeDefined();
    return lines.splice(0, lines.findIndex((line) => pattern.test(line)) + 1).at(-1) ?? '';
  };
  await heard(/^LISTENING$/);
  return { path, heard };
}

describe.skipIf(!CAN)('a proxy under systemd', () => {
  it('says that it serves, lives, reads its configuration again, and ends', async () => {
    const { path, heard } = await listen();
    const proxy = await startRingproxy({
      nodes: await startRedises(1),
      env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '900000' },
    });
    expect(await heard(/READY=1/)).toContain(`STATUS=serving clients on ${proxy.listen}`);
    await heard(/^WATCHDOG=1$/);
    proxy.kill('SIGHUP');
    expect(await heard(/RELOADING=1/)).toMatch(/MONOTONIC_USEC=\d+$/);
    await heard(/READY=1/);
    await heard(/^WATCHDOG=1$/);
    proxy.kill('SIGTERM');
    await heard(/^STOPPING=1$/);
    expect((await proxy.logged(/SIGTERM/)).msg).toContain('answers what is in flight');
  });
});

describe('without a service manager', () => {
  it('nothing is said', () => {
    const said: (readonly string[])[] = [];
    for (const env of [{}, { NOTIFY_SOCKET: '' }, { WATCHDOG_USEC: '1000' }]) {
      const manager = new ServiceManager(env, (lines) => said.push(lines));
      manager.ready('x');
      manager.stopping();
    }
    expect(said).toEqual([]);
  });

  // A shell that was started by a service passes its variables on.
  it('a watchdog of another process is left alone', async () => {
    const said: (readonly string[])[] = [];
    const env = { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '3000', WATCHDOG_PID: '1' };
    new ServiceManager(env, (lines) => said.push(lines)).ready('x');
    const own = new ServiceManager({ ...env, WATCHDOG_PID: String(process.pid) }, (lines) => said.push(lines));
    own.ready('y');
    await expect.poll(() => said.filter(([line]) => line === 'WATCHDOG=1').length).toBeGreaterThan(1);
    own.stopping();
    expect(said.filter(([line]) => line === 'READY=1')).toHaveLength(2);
    expect(said.at(-1)).toEqual(['STOPPING=1']);
  });
});
