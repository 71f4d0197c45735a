/** MIGRATE to a server that cuts the source off once it is connected, as one does by TLS 1.3 that refuses its certificate. */
import net from 'node:net';
import { expect, it } from 'vitest';
import { migrateKeys } from '../../src/rebalance/migrate.js';
import { atEnd } from '../support/cleanup.js';
import { half, keys, movingNodes, stageNode } from './stage.js';

it('says by TLS that the certificate may be refused, and nothing of it without TLS; the key stays', async () => {
  const stage = [await stageNode('source'), await stageNode('target')] as const;
  const nodes = await movingNodes([...stage]);
  atEnd(() => nodes.close());
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => void server.close());
  const { port } = server.address() as net.AddressInfo;
  await stage[0].redis.client().set('key', 'value');
  const migrate = async (tls: boolean): Promise<unknown> => {
    const peer = { host: '127.0.0.1', port, username: '', password: '', tls };
    const [source, target] = [await nodes.link(0, 'test'), await nodes.link(1, 'test')];
    return migrateKeys(source, target, peer, 0, keys('key'), 'move', true, half);
  };
  await expect(migrate(true)).rejects.toThrow(
    new RegExp(
      `IOERR .*\\(127.0.0.1:${port} may not take the certificate that it shows, see its tls-client-cert-file\\)`,
    ),
  );
  await expect(migrate(false)).rejects.toThrow(/IOERR error or timeout \w+ (?:to|from) target instance$/);
  expect(await stage[0].redis.client().get('key')).toBe('value');
});
