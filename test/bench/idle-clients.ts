import net, { type Socket } from 'node:net';
import { residentMemory } from './process-usage.js';
import { megabytes, type Row, verdict } from './report.js';
import type { Target } from './targets.js';

const CLIENTS = 10_000;
/** Connections that are opened at a time: less than a listener's backlog. */
const AT_ONCE = 200;
const LIMIT = 250 << 20;

/** The memory of a proxy that holds this many clients, each of which has had one command answered. */
export async function measureIdleClients(target: Target, isSubject: boolean): Promise<Row> {
  const before = residentMemory(target.pid);
  const sockets: Socket[] = [];
  try {
    while (sockets.length < CLIENTS) {
      const more = Array.from({ length: Math.min(AT_ONCE, CLIENTS - sockets.length) }, () => openClient(target.port));
      sockets.push(...(await Promise.all(more)));
    }
    const after = residentMemory(target.pid);
    const passed = isSubject ? after < LIMIT : null;
    return {
      passed,
      cells: [
        `${CLIENTS.toLocaleString('en')} idle clients`,
        target.name,
        megabytes(before),
        megabytes(after),
        isSubject ? `< ${megabytes(LIMIT)}` : '',
        verdict(passed),
      ],
    };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

function openClient(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('*2\r\n$3\r\nGET\r\n$4\r\nidle\r\n'));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the proxy closed an idle client')));
    socket.once('data', () => resolve(socket));
  });
}
