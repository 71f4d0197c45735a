import { array, bulk, integer, nullArray, type Protocol, push } from '../../../resp/encode.js';

const CHANNEL = bulk('__redis__:invalidate');
const MESSAGE = bulk('message');
const INVALIDATE = bulk('invalidate');

/** Tells a client that these keys have changed; null: all. In RESP2 it is a message of a channel. */
export function invalidation(keys: readonly Buffer[] | null, protocol: Protocol): Buffer {
  const payload = keys === null ? nullArray(protocol) : array(keys.map(bulk));
  return protocol === 3 ? push([INVALIDATE, payload], 3) : array([MESSAGE, CHANNEL, payload]);
}

/** Tells a client that the one which was to be told in its place is gone. */
export function brokenRedirect(id: number): Buffer {
  return push([bulk('tracking-redir-broken'), integer(id)], 3);
}
