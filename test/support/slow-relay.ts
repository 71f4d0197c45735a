import net from 'node:net';
import { atEnd } from './cleanup.js';

/**
 * A network between the proxy and a node: bytes arrive late, by a time that differs from connection to
 * connection, as over several hops. The order within a connection is kept.
 * @param delay milliseconds for the next connection
 * @returns the address that stands for the node
 */
export async function startSlowRelay(port: number, delay: () => number): Promise<string> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const late = delay();
    const node = net.connect({ port, host: '127.0.0.1', noDelay: true });
    for (const [from, to] of [
      [client, node],
      [node, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => {
        setTimeout(() => to.writable && to.write(chunk), late);
      });
      from.on('error', () => {});
      from.on('close', () => setTimeout(() => to.destroy(), late));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}
