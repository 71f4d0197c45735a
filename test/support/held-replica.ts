/** A replica whose replication can be made to stand still while its link stays up. */
import net from 'node:net';
import { atEnd } from './cleanup.js';
import { type RedisProcess, startRedis } from './redis-process.js';
import { until } from './sentinels.js';

export interface HeldReplica {
  readonly server: RedisProcess;
  /** What the master sends stays in the network from now on. */
  hold(): void;
  /** It goes on. */
  release(): void;
}

export async function startHeldReplica(master: RedisProcess): Promise<HeldReplica> {
  const sockets = new Set<net.Socket>();
  const fromMaster = new Set<net.Socket>();
  let isHeld = false;
  const relay = net.createServer((replica) => {
    const link = net.connect({ port: master.port, host: '127.0.0.1' });
    fromMaster.add(link);
    if (isHeld) link.pause();
    link.on('data', (chunk: Buffer) => replica.write(chunk));
    replica.on('data', (chunk: Buffer) => link.write(chunk));
    for (const [socket, other] of [
      [link, replica],
      [replica, link],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        fromMaster.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    relay.close();
  });
  const address = relay.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const server = await startRedis({
    args: ['--replicaof', '127.0.0.1', String(port), '--repl-diskless-sync-delay', '0'],
  });
  await until(async () => (await server.client().info('replication')).includes('master_link_status:up'));
  return {
    server,
    hold() {
      isHeld = true;
      for (const link of fromMaster) link.pause();
    },
    release() {
      isHeld = false;
      for (const link of fromMaster) link.resume();
    },
  };
}
