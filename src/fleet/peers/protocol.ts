/**
 * How proxies of a ring call each other: `POST /peer/PATH` at the admin API, with who asks and who is meant in headers.
 * Who is meant, since a proxy may have got the port of another one that has ended: what is not for it, it refuses.
 */

/** Another number: what is said under it means something else. Fields that are added need none. */
export const PEER_PROTOCOL = '1';

export const PEER_HEADERS = {
  protocol: 'ringproxy-peer-protocol',
  /** The id of the proxy that asks. */
  from: 'ringproxy-from',
  /** The id of the proxy that is meant; in the answer, of the one that answers. */
  to: 'ringproxy-to',
} as const;

export const PEER_PATH = '/peer/';

/** Bytes of a question, and of an answer, at most. */
export const MOST_PEER_BYTES = 32 * 1024 * 1024;

/** Of what is not JSON. */
export const BYTES_TYPE = 'application/octet-stream';
