import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './child.js';

/**
 * For programs that tell nobody that they listen: there is no event to wait for, so it asks again until the port of
 * this machine takes connections.
 * @throws Error with `log` when the program ends before
 */
export async function untilConnectable(port: number, child: Child, log: () => string): Promise<void> {
  while (!(await connects(port))) {
    if (!child.running) throw new Error(`${child.name} ended:\n${child.output}\n${log()}`);
    await delay(5);
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
