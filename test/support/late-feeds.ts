import net from 'node:net';
import { atEnd } from './cleanup.js';

/**
 * A network between proxies and a node in which what the node tells of changed keys comes late, as do its replies on some
 * connections: so replies and what is told of their keys come in any order. The order within a connection is kept.
 * @param port of the node on loopback
 * @param feedDelay milliseconds by which connections are late that have asked for changed keys
 * @param delay milliseconds for the next connection otherwise
 * @returns the address that stands for the node
 */
export async function startLateFeeds(port: number, feedDelay: number, delay: () => number): Promise<string> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const node = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let late = delay();
    client.setNoDelay(true);
    client.on('data', (chunk: Buffer) => {
      if (chunk.includes('TRACKING')) late = feedDelay;
      node.write(chunk);
    });
    node.on('data', (chunk: Buffer) => {
      if (late === 0) client.write(chunk);
      else setTimeout(() => client.writable && client.write(chunk), late);
    });
    for (const [socket, other] of [
      [client, node],
      [node, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
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
