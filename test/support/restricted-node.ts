import { type RedisOptions, type RedisProcess, startRedis } from './redis-process.js';

/** The login of the proxy at such nodes. */
export const RESTRICTED_LOGIN = 'node-username: proxied\nnode-password: secret\n';

/** A node at which the proxy's user may do everything but what these ACL rules take away. */
export async function startRestricted(rules: string, options: RedisOptions = {}): Promise<RedisProcess> {
  const node = await startRedis(options);
  await node.client().call('ACL', 'SETUSER', 'proxied', 'on', '>secret', '~*', '&*', '+@all', ...rules.split(' '));
  return node;
}
