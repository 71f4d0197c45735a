import net from 'node:net';
import { atEnd } from './cleanup.js';

/** A network between proxies and a node, see `startLateFeeds`. */
export interface LateFeeds {
  /** Stands for the node. */
  readonly address: string;
  /** From now on nothing comes that the node tells of changed keys. */
  hold(): void;
  /** From now on nothing comes that the node answers otherwise: commands are carried out, and nobody hears of it. */
  holdReplies(): void;
  /** What was held comes. */
  release(): void;
}

/** CLIENT TRACKING OFF asks for none. */
const ASKS_FOR_CHANGES = /TRACKING\r\n\$2\r\nON\r\n/i;

/**
 * A network between proxies and a node in which what the node tells of changed keys comes late, as do its replies on some
 * connections: so replies and what is told of their keys come in any order. The order within a connection is kept.
 * @param port of the node on loopback
 * @param feedDelay milliseconds by which connections are late that have asked for changed keys
 * @param delay milliseconds for the next connection otherwise
 */
export async function startLateFeeds(port: number, feedDelay: number, delay: () => number): Promise<LateFeeds> {
  const sockets = new Set<net.Socket>();
  /** What is held, in order. */
  let held: (() => void)[] = [];
  let isFeedHeld = false;
  let areRepliesHeld = false;
  const server = net.createServer((client) => {
    const node = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let late = delay();
    let isFeed = false;
    /** What is late, in order, and when the last of it is due: a connection that becomes a feed may be less late then. */
    const onTheWay: (() => void)[] = [];
    let due = 0;
    client.setNoDelay(true);
    client.on('data', (chunk: Buffer) => {
      if (ASKS_FOR_CHANGES.test(chunk.toString('latin1'))) {
        late = feedDelay;
        isFeed = true;
      }
      node.write(chunk);
    });
    node.on('data', (chunk: Buffer) => {
      const pass = (): void => {
        if (client.writable) client.write(chunk);
      };
      if (isFeed ? isFeedHeld : areRepliesHeld) held.push(pass);
      else if (late === 0 && onTheWay.length === 0) pass();
      else {
        const now = performance.now();
        due = Math.max(due, now + late);
        onTheWay.push(pass);
        setTimeout(() => onTheWay.shift()?.(), due - now);
      }
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
  return {
    address: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    hold: () => {
      isFeedHeld = true;
    },
    holdReplies: () => {
      areRepliesHeld = true;
    },
    release: () => {
      const passes = held;
      held = [];
      isFeedHeld = false;
      areRepliesHeld = false;
      for (const pass of passes) pass();
    },
  };
}
