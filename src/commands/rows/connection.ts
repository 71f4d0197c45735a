/** A client and its connection. */
import { any, type PolicyRow, type PolicyRows, proxy } from './row.js';

const connection = { acl: ['connection'] } as const satisfies PolicyRow;
/** CLIENT CACHING holds on over other CLIENT commands, as in Redis. */
const client = { ...connection, ...proxy, keepsCaching: true } as const satisfies PolicyRow;

export const CONNECTION = {
  ping: { ...connection, ...proxy, inTransaction: 'by node', whileSubscribed: 'allowed' },
  echo: { ...connection, ...proxy, inTransaction: 'by node' },
  quit: { ...connection, ...proxy, inTransaction: 'at once', whileSubscribed: 'allowed', beforeAuth: true },
  select: { ...connection, ...proxy, inTransaction: 'select' },
  hello: { ...connection, ...proxy, beforeAuth: true, secrets: 'behind auth' },
  auth: { ...connection, ...proxy, inTransaction: 'here', beforeAuth: true, secrets: 'all' },
  reset: { ...connection, ...proxy, inTransaction: 'at once', whileSubscribed: 'allowed', beforeAuth: true },
  'client|id': { ...client, inTransaction: 'here' },
  'client|getname': { ...client, inTransaction: 'here' },
  'client|setname': { ...client, inTransaction: 'here' },
  'client|setinfo': { ...client, inTransaction: 'here' },
  'client|info': { ...client, inTransaction: 'here' },
  'client|list': client,
  'client|kill': client,
  'client|reply': client,
  'client|no-evict': { ...client, inTransaction: 'here' },
  'client|no-touch': { ...client, inTransaction: 'here' },
  'client|getredir': { ...client, inTransaction: 'here' },
  'client|unblock': client,
  'client|help': { ...connection, ...any, keepsCaching: true },
  'client|tracking': client,
  'client|caching': client,
  'client|trackinginfo': { ...client, inTransaction: 'here' },
  'client|pause': { ...client, inTransaction: 'here, peers told', whilePaused: true },
  'client|unpause': { ...client, inTransaction: 'here, peers told', whilePaused: true },
} as const satisfies PolicyRows;
