import net from 'node:net';
import { atEnd } from './cleanup.js';

/** A network between the proxy and a node that can keep what is under way. */
export interface GatedRelay {
  /** Stands for the node. */
  readonly address: string;
  /** From now on, what the proxy sends on connections that it has now stays in the network; later ones are not concerned. */
  keep(): void;
  /** Ends the connections that `keep` concerned, towards the proxy: what was kept is still on its way. */
  cut(): void;
  /**
   * Hands over what was kept, also on connections that the proxy has ended meanwhile, and keeps nothing more.
   * Settles when the node is through with those.
   */
  release(): Promise<void>;
  /** Bytes that are being kept. */
  readonly kept: number;
}

interface Way {
  readonly from: net.Socket;
  readonly to: net.Socket;
  /** What is kept; null: nothing is. */
  chunks: Buffer[] | null;
}

/** @param port of the node on loopback */
export async function startGatedRelay(port: number): Promise<GatedRelay> {
  const sockets = new Set<net.Socket>();
  const ways = new Set<Way>();
  const server = net.createServer((client) => {
    const node = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const way: Way = { from: client, to: node, chunks: null };
    ways.add(way);
    client.setNoDelay(true);
    client.on('data', (chunk: Buffer) => {
      if (way.chunks === null) node.write(chunk);
      else way.chunks.push(chunk);
    });
    node.on('data', (chunk: Buffer) => client.write(chunk));
    for (const socket of [client, node]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    // What is kept is not lost with the connection that it came by.
    client.on('close', () => {
      if (way.chunks === null) node.destroy();
    });
    node.on('close', () => {
      ways.delete(way);
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return {
    address: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    keep() {
      for (const way of ways) way.chunks = [];
    },
    cut() {
      for (const way of ways) if (way.chunks !== null) way.from.destroy();
    },
    async release() {
      const ended: Promise<unknown>[] = [];
      for (const way of [...ways]) {
        for (const chunk of way.chunks ?? []) way.to.write(chunk);
        way.chunks = null;
        if (!way.from.destroyed) continue;
        // Not `once` of node:events, which fails on an error: a node that drops a connection with something unread resets it.
        ended.push(new Promise((resolve) => way.to.once('close', resolve)));
        way.to.end();
      }
      await Promise.all(ended);
    },
    get kept() {
      let bytes = 0;
      for (const way of ways) for (const chunk of way.chunks ?? []) bytes += chunk.length;
      return bytes;
    },
  };
}
