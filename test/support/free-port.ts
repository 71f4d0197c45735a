import net from 'node:net';

/** Below the range from which the system takes the ports of outgoing connections, so that none of them gets in the way. */
const FIRST = 20_000;
const LAST = 32_000;

const given = new Set<number>();

/** @returns a port on loopback that nobody listens on, and that this process has not been given before */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
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
