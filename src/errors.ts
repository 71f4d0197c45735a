/**
 * Every failure that an operator reads, once: its code, the HTTP status that the admin API answers it with, the exit
 * code of the command line, what it means and what to do. The documentation's table is made from this table.
 */
interface ErrorRow {
  /** HTTP status of the admin API; null: it ends the program before there is an answer. */
  readonly status: number | null;
  /** Of the command line; 2: it was called or configured wrongly. Otherwise 1. */
  readonly exitCode?: 2;
  readonly meaning: string;
  /** What to do, where the failure knows nothing better. */
  readonly hint: string;
}

export const ERRORS = {
  // Calls of the admin API.
  BAD_REQUEST: {
    status: 400,
    meaning: 'the call is not understood (413, 415 …: as HTTP has it)',
    hint: 'GET /v1 lists what there is',
  },
  NO_KEY: { status: 400, meaning: 'no key is asked for', hint: 'add ?key=… to the URL, as often as you like' },
  NO_CHANNEL: {
    status: 400,
    meaning: 'there is no such channel of events',
    hint: 'name one of those that are listed under events',
  },
  UNAUTHORIZED: {
    status: 401,
    meaning: 'the token is wrong, or there is none',
    hint: 'give it with --token, RINGPROXY_TOKEN or the header Authorization: Bearer …',
  },
  FORBIDDEN: {
    status: 403,
    meaning: 'the token is that of a role which may not do this; the message names the one that may',
    hint: 'call it with admin-token',
  },
  NO_CERTIFICATE: {
    status: 403,
    meaning: 'whoever calls the admin API is to show a certificate (`admin-tls-client-auth`), and has shown none',
    hint: 'call it with --cert and --key (RINGPROXY_CERT, RINGPROXY_KEY), or give the browser one that an authority of admin-tls-ca has signed',
  },
  BAD_CERTIFICATE: {
    status: 403,
    meaning: 'the certificate that was shown to the admin API is not one that it accepts; the message says why',
    hint: 'show one for clients (clientAuth) that an authority of admin-tls-ca has signed, and that has not expired',
  },
  BAD_HOST: {
    status: 403,
    meaning: 'the API was called by a name that is not that of this machine',
    hint: 'use 127.0.0.1, or set admin-token',
  },
  BAD_ORIGIN: {
    status: 403,
    meaning: 'a page of another origin wants to change something',
    hint: 'use the command line or the proxy’s own page, or set admin-token',
  },
  NOT_FOUND: { status: 404, meaning: 'there is no such path', hint: 'GET /v1 lists what there is' },
  BAD_METHOD: { status: 405, meaning: 'the path does not take this method', hint: 'see the header Allow' },
  NOT_READY: { status: 503, meaning: 'what is asked for is not known yet', hint: 'try again in a moment' },
  TOO_MANY_STREAMS: { status: 503, meaning: 'too many readers follow the events', hint: 'end some of them' },
  INTERNAL: { status: 500, meaning: 'the proxy failed to answer', hint: 'its log says more' },

  // Changes of the ring.
  NO_CHANGE: {
    status: 409,
    meaning: 'no change is under way (404 to a GET)',
    hint: 'start one with ringproxy ring add or remove',
  },
  NOTHING_TO_CHANGE: { status: 409, meaning: 'the ring is like that already', hint: 'nothing needs to be done' },
  CHANGE_RUNNING: {
    status: 409,
    meaning: 'another change is under way',
    hint: 'wait for it, or cancel it',
  },
  CHANGE_PREPARING: {
    status: 409,
    meaning: 'the change is just beginning: keys do not move yet',
    hint: 'try again in a moment',
  },
  CANNOT_CANCEL: {
    status: 409,
    meaning: 'the change can no longer be turned round',
    hint: 'undo it with another change when it is done',
  },
  NOTHING_TO_GIVE_UP: {
    status: 409,
    meaning: 'every node that keys are moved off answers',
    hint: 'resume without --no-drain',
  },
  NOT_COORDINATOR: {
    status: 503,
    meaning: 'the proxy that was asked does not decide about the ring; nothing was done',
    hint: 'try again in a few seconds',
  },
  COORDINATOR_LOST: {
    status: 503,
    meaning: 'the proxy that carried it out has lost the right to decide: another one gives it up, or goes on with it',
    hint: 'see what became of it with ringproxy ring status before you ask again',
  },
  NO_COORDINATOR: {
    status: 503,
    meaning: 'no proxy decides about the ring right now, or the one that does cannot be reached; nothing was done',
    hint: 'see who is alive with ringproxy proxies ls, and try again in a few seconds',
  },
  OUTCOME_UNKNOWN: {
    status: 504,
    meaning:
      'the proxy that decides about the ring was asked, and has not answered: it may have done it, or may do it yet',
    hint: 'see what became of it with ringproxy ring status before you ask again',
  },
  FENCE_TIMEOUT: {
    status: 409,
    meaning: 'commands on keys that change hands were not answered in time; nothing has changed',
    hint: 'see which node (ringproxy ring show), or whether etcd (ringproxy proxies ls), is slow or down, then try again',
  },
  FOREIGN_PROXY: {
    status: 409,
    meaning:
      'a proxy that is none of this fleet is connected to the nodes, and would not follow the change: what it writes would be lost',
    hint: 'let all proxies of the ring share etcd (--coordination etcd), or end the other one; --force goes on all the same',
  },
  UNKNOWN_NODE: { status: 404, meaning: 'the ring has no such node', hint: 'ringproxy ring show lists its nodes' },
  NODE_EJECTED: {
    status: 409,
    meaning: 'the fleet has taken the node out of the ring, since it did not answer',
    hint: 'it comes back by itself when it answers, with on-node-failure: eject; ring remove NAME forgets it, ring add NAME=HOST:PORT brings it, or another server of its name, in at once',
  },
  NAME_TAKEN: { status: 409, meaning: 'the ring has a node of this name', hint: 'choose another name' },
  ADDRESS_TAKEN: {
    status: 409,
    meaning: 'the ring has a node at this address, or this server under another one',
    hint: 'a node can be in the ring once',
  },
  SAME_SERVER: {
    status: 409,
    meaning: 'two nodes are one server: keys that one of them does not own are those of the other',
    hint: 'have each lead to a server of its own, as before the failover that made them one; or give one of them a new server, and its keys up: ring replace NAME=HOST:PORT --no-drain',
  },
  READDRESSED: {
    status: 409,
    meaning: 'a node keeps its server under another address, and other nodes are to change as well',
    hint: 'change the address in a change of its own: ring replace NAME=ADDRESS',
  },
  BAD_ADDRESS: { status: 400, meaning: 'that is no address', hint: 'expected HOST:PORT' },
  RING_EMPTY: { status: 409, meaning: 'the ring would have no nodes left', hint: 'add another node first' },
  RING_FULL: { status: 409, meaning: 'the ring has as many nodes as it can have', hint: 'remove some first' },
  TOO_MANY_POINTS: {
    status: 400,
    meaning: 'the weights ask for too many points on the ring',
    hint: 'the ring would take too long to build',
  },

  // What whoever follows a change is told.
  CHANGE_PAUSED: {
    status: null,
    meaning: 'the change that is followed has paused because of a failure',
    hint: 'mend it, then: ringproxy ring resume; or go back: ringproxy ring cancel',
  },
  CHANGE_UNDONE: {
    status: null,
    meaning: 'the change that is followed was taken back by somebody else',
    hint: 'everything is back where it was: ringproxy ring history',
  },
  CHANGE_UNKNOWN: {
    status: null,
    meaning: 'the change that is followed is over, and what became of it is not known',
    hint: "the proxy's log says why: ringproxy ring show",
  },

  // Who asks the admin API.
  ADMIN_URL: {
    status: null,
    exitCode: 2,
    meaning: 'that is no address of an admin API',
    hint: 'give its URL with --admin, such as http://127.0.0.1:6390',
  },
  ADMIN_UNREACHABLE: {
    status: null,
    meaning: 'the admin API cannot be reached, or its answer was cut off',
    hint: 'is ringproxy serve running? Give its address with --admin URL or RINGPROXY_ADMIN',
  },
  ADMIN_TLS: {
    status: null,
    meaning: 'the certificate that the admin API shows is not accepted',
    hint: 'name the file of the authority that has signed it with --ca or RINGPROXY_CA',
  },
  ADMIN_ANSWER: {
    status: null,
    meaning: 'what answers is no admin API',
    hint: 'check --admin: it must be the admin address, not that for Redis clients',
  },

  // Nodes.
  NODE_UNREACHABLE: {
    status: 409,
    meaning: 'a node does not answer, or answers with an error',
    hint: 'check that a redis-server runs there and can be reached from this machine',
  },
  NODE_IS_REPLICA: {
    status: 409,
    meaning: 'the node is a replica',
    hint: 'it would refuse writes: add its master, or promote it with REPLICAOF NO ONE',
  },
  NODE_IS_CLUSTER: {
    status: 409,
    meaning: 'the node is one of a Redis Cluster',
    hint: 'it would answer MOVED for most keys: use a node without cluster-enabled',
  },
  NODE_NOT_EMPTY: {
    status: 409,
    meaning: 'the node holds keys, which would show up as stale data',
    hint: 'use an empty node, or add --flush to delete them first',
  },
  NODE_SNAPSHOT: {
    status: 409,
    meaning: 'the node was emptied, and could have its keys again when it is restarted',
    hint: 'give its user the rights +save +bgsave, and see that it can write its snapshot; or start it with an empty data directory',
  },
  NODE_RIGHTS: {
    status: 409,
    meaning: 'the proxy’s user at the node may not move keys, or not empty it',
    hint: 'give it the rights that are listed under nodes',
  },
  NODE_DATABASES: {
    status: 409,
    meaning: 'the node has fewer databases than the ring',
    hint: 'start it with --databases, as many as the others have',
  },
  NODE_VERSION: {
    status: 409,
    meaning: 'the node does not take the values of the others',
    hint: 'use a node whose version is not older than that of the ring',
  },
  FUNCTIONS: {
    status: 409,
    meaning: 'the node cannot take the functions of the ring',
    hint: 'use a node with the same version of Redis, and a user of it that may call FUNCTION',
  },
  NO_ROOM: {
    status: 409,
    meaning: 'a node would run out of memory, and refuse writes',
    hint: 'raise its maxmemory, or move less: give it a smaller weight, or add more nodes at once',
  },

  // Keys on nodes that do not own them.
  CHECK_RUNNING: { status: 409, meaning: 'a check is under way', hint: 'wait until it is done' },
  STRAY_KEYS: {
    status: 409,
    meaning: 'so many keys of a node are not its own that the ring cannot be theirs',
    hint: 'see ringproxy ring check; if they were placed by another hash or hash tag, this ring is not theirs; otherwise ring check --fix removes them',
  },

  // Groups of keys.
  BAD_GROUPS: {
    status: 400,
    exitCode: 2,
    meaning: 'the groups of keys cannot be as they are written',
    hint: 'nothing has changed; a word that does not fit the others any more is taken out with --reset WORD (null in the API)',
  },
  UNKNOWN_GROUP: { status: 404, meaning: 'there is no such group of keys', hint: 'ringproxy groups lists them' },
  GROUPS_CHANGED: {
    status: 409,
    meaning: 'somebody else has changed the groups of keys meanwhile; nothing was done',
    hint: 'look at them with ringproxy groups, then ask again',
  },
  HIDES_KEYS: {
    status: 409,
    meaning:
      'keys that are there would not be seen any more, since replicated ones are kept in the proxies and all others on nodes, or a node could not be looked at for such keys; nothing has changed',
    hint: 'where nobody needs them, delete them, or go on with --force (force=true): they stay where they are until they expire, and are seen again when the group is as it was',
  },

  // The state directory.
  STATE_DIR: {
    status: 500,
    meaning: 'the state directory cannot be used',
    hint: 'check its permissions and free space, or name another with --state-dir',
  },
  STATE_CORRUPT: {
    status: null,
    meaning: 'the state directory does not hold a ring',
    hint: 'restore it from another proxy or a backup; if you delete it, the ring is made anew from the configuration',
  },
  STATE_LOCKED: {
    status: null,
    meaning: 'another proxy uses the state directory',
    hint: 'give each proxy a state directory of its own',
  },

  // etcd.
  ETCD_UNREACHABLE: {
    status: 503,
    meaning: 'no endpoint of etcd answers',
    hint: 'check that etcd runs and can be reached from this machine at etcd-endpoints; what is served goes on',
  },
  ETCD_NO_LEADER: {
    status: 503,
    meaning: 'etcd answers, but a majority of its members does not: it can decide nothing',
    hint: 'see etcdctl endpoint status, and start the members that are down; what is served goes on',
  },
  ETCD_AUTH: {
    status: 503,
    meaning: 'etcd does not let the proxy log in',
    hint: 'check etcd-user and etcd-password',
  },
  ETCD_PERMISSION: {
    status: 503,
    meaning: 'the proxy’s user at etcd may not read and write its keys',
    hint: 'etcdctl role grant-permission ROLE readwrite --prefix PREFIX, with etcd-prefix as the prefix',
  },
  ETCD_TLS: {
    status: 503,
    meaning: 'etcd and the proxy do not accept each other’s certificates',
    hint: 'check etcd-ca, etcd-cert and etcd-key; where etcd demands client certificates, its own must be one as well (clientAuth), since its gateway uses it so',
  },
  ETCD_FULL: {
    status: 503,
    meaning: 'etcd has reached its space quota, and takes no writes',
    hint: 'compact and defragment it, then etcdctl alarm disarm; or raise --quota-backend-bytes',
  },
  ETCD_TOO_LARGE: {
    status: 503,
    meaning: 'the record is larger than etcd takes',
    hint: 'raise --max-request-bytes of etcd',
  },
  ETCD_ANSWER: {
    status: 503,
    meaning: 'what answers is no etcd with a JSON gateway, or it says something unexpected',
    hint: 'etcd-endpoints are the client URLs of etcd 3.4 or newer, started without --enable-grpc-gateway=false',
  },
  RING_FORMAT: {
    status: 409,
    meaning: 'the ring is recorded in a format that this version does not understand',
    hint: 'start a version that is at least as new as the others of the fleet',
  },
  RING_OF_THE_PAST: {
    status: 409,
    meaning: 'etcd has an older ring than this proxy knows: it was restored from a backup, or the ring was made anew',
    hint: 'bring etcd the newer ring: stop all proxies, remove what is under etcd-prefix and the ring-name, start this one first; or, to go by the older ring, remove fleet.json from the state-dir',
  },
  RING_RECORD: {
    status: 500,
    meaning: 'what stands in etcd is no record of a ring',
    hint: 'see etcdctl get --prefix under etcd-prefix; restore it from a backup of etcd, or choose another ring-name',
  },

  // The fleet.
  UNKNOWN_PROXY: {
    status: 404,
    meaning: 'there is no such proxy in the fleet',
    hint: 'ringproxy proxies ls lists them',
  },
  PROXY_GONE: {
    status: 409,
    meaning: 'a proxy of the fleet does not answer, and cannot be passed over; nothing has changed',
    hint: 'see ringproxy proxies ls; start it again, or, when it is certain that it is dead: ringproxy proxies forget ID',
  },
  PROXY_ALIVE: {
    status: 409,
    meaning: 'the proxy that is to be forgotten lives',
    hint: 'end it first: it leaves the fleet by itself; one that was killed can be forgotten when its lease has run out (member-ttl)',
  },
  PEER_UNREACHABLE: {
    status: 503,
    meaning: 'another proxy of the ring cannot be reached, or has not answered in time',
    hint: 'see ringproxy proxies ls; check that its admin API can be reached from here (advertise-admin)',
  },
  PEER_TOKEN: {
    status: 401,
    meaning: 'a proxy has called another one without its peer-token',
    hint: 'give all proxies of the ring the same peer-token (without one, the same admin-token)',
  },
  PEER_OTHER: {
    status: 421,
    meaning: 'a proxy was called that is not the one that was meant, or has another id by now',
    hint: 'it is asked again under its new address by itself; where that does not help, see advertise-admin',
  },
  PEER_VERSION: {
    status: 409,
    meaning: 'two proxies of the ring do not speak the same version of their protocol',
    hint: 'bring them to the same version of ringproxy',
  },
  PEER_FAILED: {
    status: 502,
    meaning: 'another proxy of the ring has answered with an error',
    hint: 'its log says more',
  },

  // The start, and files.
  CONFIG: { status: null, exitCode: 2, meaning: 'the configuration has mistakes', hint: '' },
  NO_NODES: {
    status: null,
    exitCode: 2,
    meaning: 'the ring has no nodes',
    hint: 'name at least one with --node NAME=HOST:PORT',
  },
  LISTEN: { status: null, meaning: 'an address cannot be listened on', hint: 'choose another one' },
  TLS_FILES: {
    status: null,
    meaning: 'certificates or keys of TLS cannot be used',
    hint: 'ringproxy config check FILE says which file of which setting, and what is wrong with it',
  },
  TWEMPROXY: {
    status: null,
    meaning: 'the nutcracker.yml cannot be taken over as it is',
    hint: 'mend the lines that are named',
  },
  POOL: {
    status: null,
    meaning: 'the nutcracker.yml has several pools, or not this one',
    hint: 'choose one with --pool',
  },
  YAML: { status: null, meaning: 'the file is no text', hint: 'nutcracker refuses it, too: save it as UTF-8' },
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type ErrorCode = keyof typeof ERRORS;

const INTERNAL_STATUS = 500;

/** A failure that an operator reads: what happened, under a stable code, and what to do. */
export class RingproxyError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  /** @param hint what to do, where that says more than the table */
  constructor(code: ErrorCode, message: string, hint: string = ERRORS[code].hint) {
    super(message);
    this.name = 'RingproxyError';
    this.code = code;
    this.hint = hint;
  }

  /** HTTP status of the admin API. */
  get status(): number {
    return ERRORS[this.code].status ?? INTERNAL_STATUS;
  }

  /** Of the program that ends because of it. */
  get exitCode(): 1 | 2 {
    const row: ErrorRow = ERRORS[this.code];
    return row.exitCode ?? 1;
  }
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether it is one of ours: another version may have others. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** @returns the code of an error of the system or the network library, such as `ENOENT`; empty: it has none */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** @returns the table of all errors, in Markdown */
export function errorReference(): string {
  const rows = Object.entries<ErrorRow>(ERRORS).map(([code, { status, exitCode = 1, meaning, hint }]) => {
    return `| \`${code}\` | ${status ?? `exit ${exitCode}`} | ${meaning} | ${hint} |`;
  });
  return ['| code | status | means | what to do |', '|---|---|---|---|', ...rows].join('\n');
}
