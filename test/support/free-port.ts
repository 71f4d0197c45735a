import net from 'node:net';

/** Below the range from which the system takes the ports of outgoing connections, so that none of them gets in the way. */
const FIRST = 20_000;
const LAST = 32_000;
/** Test files that run at the same time each have ports of their own: one may start what it has ended anew. */
const FILES = 2;
const FILE = Number(process.env.VITEST_POOL_ID ?? 0) % FILES;

const given = new Set<number>();

/** @returns a port on loopback that nobody listens on, and that this process has not been given before */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + FILES * Math.floor((Math.random() * (LAST - FIRST)) / FILES) + FILE;
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
