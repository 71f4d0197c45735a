/** The settings of a configuration file, as an object; npm run docs writes this file, of the table of settings. */

/** A node of the first generation. */
export interface NodeSettings {
  /** Its identity on the ring; without one its address. */
  readonly name?: string;
  /** HOST:PORT. */
  readonly address: string;
  readonly weight?: number;
  readonly username?: string;
  readonly password?: string;
  /** File with the password, instead of `password`. */
  readonly 'password-file'?: string;
  /** Where the other nodes find it, HOST:PORT, if not under its address. */
  readonly 'peer-address'?: string;
  /** Whether it is spoken to by TLS; `rediss://` in front of its address says so, too. */
  readonly tls?: boolean;
  /** Name or IP address that its certificate bears, if not the host of its address. */
  readonly 'tls-server-name'?: string;
  /** Files in PEM, instead of those that are used with all nodes. */
  readonly 'tls-ca'?: string;
  readonly 'tls-cert'?: string;
  readonly 'tls-key'?: string;
}

/** Limits of one user; what is not said is as for all users, 0 is any number. */
export interface UserLimits {
  readonly 'max-clients'?: number;
  /** A second. */
  readonly commands?: number;
  /** A second. */
  readonly bytes?: string | number;
}

/** Durations are texts such as `500ms` or `10s`, or milliseconds; sizes such as `64kb`, or bytes. */
export interface ProxySettings {
  /** where clients connect: HOST:PORT, or unix:/PATH; port 0 picks a free one; off: by tls-listen alone (default: 127.0.0.1:6380) */
  readonly listen?: string;
  /** where the admin API and the metrics are served (default: 127.0.0.1:6390) */
  readonly admin?: string;
  /** bearer token of the admin API; needed when it is served beyond loopback */
  readonly 'admin-token'?: string;
  /** file with that token, or several, a line each, as TOKEN or NAME: TOKEN (8 or more characters; lines that begin with # are comments): all are valid, so that one can take the place of another (SIGHUP reads it again), and the audit log names whose it was */
  readonly 'admin-token-file'?: string;
  /** bearer token of the admin API for those who change the ring in ways that lose nothing; needs an admin-token beside it */
  readonly 'admin-operator-token'?: string;
  /** file with that token, or several, as in admin-token-file */
  readonly 'admin-operator-token-file'?: string;
  /** bearer token of the admin API and /metrics for those who look and change nothing; needs an admin-token beside it */
  readonly 'admin-viewer-token'?: string;
  /** file with that token, or several, as in admin-token-file */
  readonly 'admin-viewer-token-file'?: string;
  /** the nodes of the first generation: name, address, weight (1 to 1000000), username, password or password-file, peer-address, tls and what belongs to it (default: []) */
  readonly nodes?: readonly (string | NodeSettings)[];
  /** processes of the data plane, which share the clients; auto: one for each processor (default: 1) */
  readonly workers?: number | 'auto';
  /** directory that keeps the ring, and values of replicated groups, over restarts; empty: they are forgotten */
  readonly 'state-dir'?: string;
  /** most time for the answers in flight when the proxy is told to stop (default: 10s) */
  readonly 'shutdown-timeout'?: string | number;
  /** least level that is logged, to standard error (default: info) */
  readonly 'log-level'?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** auto: pretty on a terminal, otherwise JSON lines (default: auto) */
  readonly 'log-format'?: 'auto' | 'json' | 'pretty';
  /** where clients connect by TLS, beside `listen` or (`listen: off`) instead of it (default: off) */
  readonly 'tls-listen'?: string;
  /** file with the certificate (PEM) that clients are shown, and those between it and its authority behind it */
  readonly 'tls-cert'?: string;
  /** file with its private key (PEM), without a passphrase */
  readonly 'tls-key'?: string;
  /** file with the certificates (PEM) of the authorities that sign those of clients */
  readonly 'tls-ca'?: string;
  /** further ones, each with cert and key: whoever asks for a name that one of them has (SNI) is shown that (default: []) */
  readonly 'tls-certificates'?: readonly { readonly cert: string; readonly key: string }[];
  /** whether clients must show a certificate that tls-ca has signed; optional: one that they show must be such (default: none) */
  readonly 'tls-client-auth'?: 'none' | 'optional' | 'required';
  /** cn: a client that shows a certificate is logged in as the user whose name is its common name, without a password (default: none) */
  readonly 'tls-client-user'?: 'none' | 'cn';
  /** whether the admin API, its page and the metrics are served by HTTPS (default: off) */
  readonly 'admin-tls'?: 'off' | 'on';
  /** file with the certificate (PEM) that it shows; empty: tls-cert, with tls-key */
  readonly 'admin-tls-cert'?: string;
  /** file with its private key (PEM), without a passphrase */
  readonly 'admin-tls-key'?: string;
  /** file with the certificates (PEM) of the authorities that sign those of callers */
  readonly 'admin-tls-ca'?: string;
  /** whether callers must show a certificate that admin-tls-ca has signed, beside their token; optional: one that they show must be such (default: none) */
  readonly 'admin-tls-client-auth'?: 'none' | 'optional' | 'required';
  /** file with the certificates (PEM) that sign those of other proxies' admin APIs; empty: the system's */
  readonly 'peer-ca'?: string;
  /** oldest version of TLS that is spoken (default: TLSv1.2) */
  readonly 'tls-min-version'?: 'TLSv1.2' | 'TLSv1.3';
  /** ciphers, in the words of OpenSSL, those of TLS 1.3 among them; empty: those with forward secrecy and AEAD */
  readonly 'tls-ciphers'?: string;
  /** most time for the handshake of a client (default: 10s) */
  readonly 'tls-handshake-timeout'?: string | number;
  /** user at the nodes, where a node has none of its own */
  readonly 'node-username'?: string;
  /** password at the nodes, where a node has none of its own */
  readonly 'node-password'?: string;
  /** file with the password at the nodes, instead of node-password; a node of its own has password-file */
  readonly 'node-password-file'?: string;
  /** user at the Sentinels of nodes that are a sentinel:// address */
  readonly 'sentinel-username'?: string;
  /** password at the Sentinels of nodes that are a sentinel:// address */
  readonly 'sentinel-password'?: string;
  /** whether Sentinels are spoken to by TLS (default: false) */
  readonly 'sentinel-tls'?: boolean;
  /** file with the certificates (PEM) of the authorities that sign those of Sentinels; empty: those that Node.js brings */
  readonly 'sentinel-tls-ca'?: string;
  /** file with the certificate (PEM) that this proxy shows Sentinels which want to see one */
  readonly 'sentinel-tls-cert'?: string;
  /** file with its private key (PEM) */
  readonly 'sentinel-tls-key'?: string;
  /** name or IP address that Sentinels' certificates bear; empty: the host of each one's address */
  readonly 'sentinel-tls-server-name'?: string;
  /** whether nodes are spoken to by TLS, where it is not said of a node (tls, or rediss:// in front of its address) (default: false) */
  readonly 'node-tls'?: boolean;
  /** file with the certificates (PEM) of the authorities that sign those of nodes; empty: those that Node.js brings */
  readonly 'node-tls-ca'?: string;
  /** file with the certificate (PEM) that this proxy shows nodes which want to see one */
  readonly 'node-tls-cert'?: string;
  /** file with its private key (PEM) */
  readonly 'node-tls-key'?: string;
  /** name or IP address that nodes' certificates bear; empty: the host of each one's address */
  readonly 'node-tls-server-name'?: string;
  /** pause between two probes of a node (default: 1s) */
  readonly 'probe-interval'?: string | number;
  /** most time for a node to answer a probe (default: 1s) */
  readonly 'probe-timeout'?: string | number;
  /** failed probes in a row after which a node is shown as down (default: 3) */
  readonly 'probe-failures'?: number;
  /** what becomes of a node that is down: its keys are answered with an error until it is back, or it is taken out of the ring and comes back emptied (default: error) */
  readonly 'on-node-failure'?: 'error' | 'eject';
  /** with on-node-failure: eject, what becomes of a node that was restarted: it is emptied before it serves, or serves what it has, which may be of the past (default: empty) */
  readonly 'on-node-restart'?: 'empty' | 'keep';
  /** for how long a node must be down, for a majority of the live proxies, before it is ejected (default: 30s) */
  readonly 'eject-after'?: string | number;
  /** most nodes that are ejected at the same time; when more are down, none of them is (default: 1) */
  readonly 'eject-max-nodes'?: number;
  /** least nodes that must go on serving when one is ejected (default: 1) */
  readonly 'min-nodes'?: number;
  /** for how long an ejected node must answer without a break before it comes back; twice as long each further time that it fails, one time is forgotten for each 10 minutes that it serves (default: 10s) */
  readonly 'rejoin-after'?: string | number;
  /** longest time that a node must answer before it comes back, however often it has failed (default: 30m) */
  readonly 'rejoin-after-max'?: string | number;
  /** where the proxies of one ring agree; none: this proxy is alone with its ring (default: none) */
  readonly coordination?: 'none' | 'etcd';
  /** where etcd is reached: http://HOST:PORT or https://HOST:PORT of its members, as a list or between commas */
  readonly 'etcd-endpoints'?: string | readonly string[];
  /** what all keys in etcd begin with (default: /ringproxy/) */
  readonly 'etcd-prefix'?: string;
  /** which ring of those under the prefix; its proxies have the same name (default: default) */
  readonly 'ring-name'?: string;
  /** user at etcd; empty: none */
  readonly 'etcd-user'?: string;
  /** its password; everybody on this machine sees it as a flag: a file or the environment keeps it */
  readonly 'etcd-password'?: string;
  /** file with the password of the user at etcd */
  readonly 'etcd-password-file'?: string;
  /** file with the certificates (PEM) that sign those of etcd; empty: the system's */
  readonly 'etcd-ca'?: string;
  /** file with the certificate (PEM) that this proxy shows etcd */
  readonly 'etcd-cert'?: string;
  /** file with its private key (PEM) */
  readonly 'etcd-key'?: string;
  /** while etcd is out of reach, strict: new connections to nodes wait; available: they are used, and in return no proxy is ever passed automatically; fixed at the first start (default: strict) */
  readonly consistency?: 'strict' | 'available';
  /** how other proxies reach this one's admin API, http://HOST:PORT or, with admin-tls, https://HOST:PORT; empty: where it is served */
  readonly 'advertise-admin'?: string;
  /** what the proxies of a ring know each other by, the same at all of them; empty: admin-token */
  readonly 'peer-token'?: string;
  /** file with the peer-token */
  readonly 'peer-token-file'?: string;
  /** how long a proxy counts as alive without a sign of it; it can be passed in a ring change after that (default: 10s) */
  readonly 'member-ttl'?: string | number;
  /** whether clients may send CONFIG SET, DEBUG and the like, which then go to every node (default: deny) */
  readonly 'admin-commands'?: 'deny' | 'allow';
  /** answer CLUSTER as one node that owns all slots, for clients that speak the protocol of Redis Cluster (default: false) */
  readonly 'cluster-mode'?: boolean;
  /** whether commands and transactions run whose keys are on several nodes: in steps, with other guarantees than on one node (default: allow) */
  readonly 'cross-node'?: 'allow' | 'refuse';
  /** users for whom cross-node is otherwise, such as { batch: allow } (default: {}) */
  readonly 'cross-node-users'?: Readonly<Record<string, 'allow' | 'refuse'>>;
  /** bytes of values that one such command may take from node to node (default: 64mb) */
  readonly 'cross-node-max-bytes'?: string | number;
  /** commands that clients may not send, such as FLUSHALL or CONFIG|SET: they are unknown then (default: []) */
  readonly 'deny-commands'?: string | readonly string[];
  /** commands that clients reach under another name, and not under their own (default: {}) */
  readonly 'rename-commands'?: string | Readonly<Record<string, string>>;
  /** password that clients must give with AUTH or HELLO: that of the user default; empty: none */
  readonly password?: string;
  /** who may log in and what they may do, by name, in Redis' ACL syntax (default: {}) */
  readonly users?: Readonly<Record<string, string | readonly string[]>>;
  /** file with users in the form of Redis' aclfile, a line for each */
  readonly 'users-file'?: string;
  /** whether users without all rights may run scripts and functions, inside of which their rights are not checked (default: refuse) */
  readonly 'user-scripts'?: 'refuse' | 'allow';
  /** without a password, let in only clients of this machine, whatever the address to listen on (default: true) */
  readonly 'protected-mode'?: boolean;
  /** connect to the nodes at the start, and not with the first command (default: true) */
  readonly preconnect?: boolean;
  /** most time for a connection to a node, its handshake included (default: 1s) */
  readonly 'connect-timeout'?: string | number;
  /** most time for a node to answer; then its connection is given up and the node counts as down (default: 5s) */
  readonly 'request-timeout'?: string | number;
  /** longest pause between two attempts to reach a node that is down (default: 1s) */
  readonly 'reconnect-backoff-max'?: string | number;
  /** shared connections to each node, for each protocol and database in use (default: 1) */
  readonly 'node-connections'?: number;
  /** most connections to each node that serve one client alone, such as for large values and WATCH (default: 256) */
  readonly 'node-private-connections'?: number;
  /** most connections to each node on which commands such as BLPOP wait; the node must allow as many (maxclients) (default: 10000) */
  readonly 'node-blocking-connections'?: number;
  /** commands in flight on a connection to a node at which its clients' reading pauses (default: 65536) */
  readonly 'node-max-inflight'?: number;
  /** unsent bytes on a connection to a node at which its clients' reading pauses (default: 64mb) */
  readonly 'node-max-pending-bytes'?: string | number;
  /** bytes of scripts that are remembered, to load them on nodes that do not know them (default: 16mb) */
  readonly 'script-cache'?: string | number;
  /** keys that are remembered for clients that cache (CLIENT TRACKING), in each process; 0: any number (default: 1000000) */
  readonly 'tracking-table-max-keys'?: number;
  /** whether keys that are hot are kept near while they are, unless their group says how it is cached (default: off) */
  readonly 'near-auto'?: 'off' | 'on';
  /** bytes of the values that every proxy has all of (groups with `cache: replicated`), in each process; beyond, writes are refused (default: 64mb) */
  readonly 'replicated-memory'?: string | number;
  /** bytes of replies that are kept for groups with `cache: near`, in each process (default: 64mb) */
  readonly 'near-memory'?: string | number;
  /** most clients at a time; further ones are told so and closed (default: 10000) */
  readonly 'max-clients'?: number;
  /** most clients at a time of one address (of IPv6, of one /64); further ones are told so and closed; 0: as many as max-clients (default: 0) */
  readonly 'max-clients-per-address'?: number;
  /** commands a second that clients of one address may send; beyond, limit-mode says what happens; 0: any number (default: 0) */
  readonly 'commands-per-address'?: number;
  /** bytes a second that clients of one address may send; beyond, limit-mode says what happens; 0: any number (default: 0) */
  readonly 'bytes-per-address'?: string | number;
  /** most clients at a time that are the same user; a further one is told so and does not become it; 0: as many as max-clients (default: 0) */
  readonly 'max-clients-per-user'?: number;
  /** commands a second that clients of one user may send; beyond, limit-mode says what happens; 0: any number (default: 0) */
  readonly 'commands-per-user'?: number;
  /** bytes a second that clients of one user may send; beyond, limit-mode says what happens; 0: any number (default: 0) */
  readonly 'bytes-per-user'?: string | number;
  /** limits of single users, by name, in the place of the three for all users: max-clients, commands, bytes (default: {}) */
  readonly 'user-limits'?: Readonly<Record<string, UserLimits>>;
  /** what happens beyond commands or bytes a second: clients are not read for a while, or commands are answered -LIMIT (default: slow) */
  readonly 'limit-mode'?: 'slow' | 'refuse';
  /** what the limits of an address and of a user are for: each proxy of a fleet, or all together, of which each live one has an equal part (default: proxy) */
  readonly 'limit-scope'?: 'proxy' | 'fleet';
  /** clients that send nothing for so long are closed; 0: never (default: 0) */
  readonly 'idle-timeout'?: string | number;
  /** a client's commands in flight at which its reading pauses (default: 8192) */
  readonly 'client-max-pending'?: number;
  /** replies that a client has not taken at which its reading pauses (default: 64mb) */
  readonly 'client-output-limit'?: string | number;
  /** largest request that is gathered (those of several keys); values of one key are streamed (default: 1gb) */
  readonly 'client-query-limit'?: string | number;
  /** a client that takes none of its replies, or sends nothing of the large value that it has begun, for so long is closed (default: 1m) */
  readonly 'client-stall-timeout'?: string | number;
  /** most time that a client may take to send one large value; then it is closed (default: 1h) */
  readonly 'client-upload-timeout'?: string | number;
  /** longest argument of a command (default: 512mb) */
  readonly 'max-bulk-length'?: string | number;
  /** values from this size on are passed on as they come instead of being gathered (default: 256kb) */
  readonly 'stream-threshold'?: string | number;
  /** databases that SELECT offers; the nodes must have as many (default: 16) */
  readonly databases?: number;
  /** idle time after which TCP asks whether the other side is still there (default: 1m) */
  readonly 'tcp-keepalive'?: string | number;
  /** groups of keys by their prefixes, at most 32: commands, hits, misses and latency are counted apart; in the file also how each is cached (default: {}) */
  readonly 'key-groups'?: Readonly<Record<string, string | readonly string[] | Readonly<Record<string, unknown>>>>;
  readonly ring?: {
    /** hash of the keys; all but murmur3 are twemproxy's; fixed at the first start (default: murmur3) */
    readonly hash?:
      | 'murmur3'
      | 'fnv1a_64'
      | 'fnv1_64'
      | 'fnv1a_32'
      | 'fnv1_32'
      | 'md5'
      | 'crc16'
      | 'crc32'
      | 'crc32a'
      | 'hsieh'
      | 'murmur'
      | 'jenkins'
      | 'one_at_a_time';
    /** ketama: nodes are spread over a ring; modula: twemproxy's division by the sum of the weights, where most keys move when a node is added; fixed at the first start (default: ketama) */
    readonly distribution?: 'ketama' | 'modula';
    /** only what stands between them is hashed, which brings keys together; fixed at the first start (default: {}) */
    readonly 'hash-tag'?: string;
    /** which part of a key without a hash tag is hashed, such as bull:{*}: or {resque:}; the first that matches; fixed at the first start (default: []) */
    readonly 'hash-tags'?: readonly string[];
    /** points on the ring of a node of weight 1 (twemproxy: 160); fixed at the first start (default: 4096) */
    readonly vnodes?: number;
    /** own: a node's points depend on its weight alone; total: twemproxy's way, by its part of all weights (default: own) */
    readonly weighting?: 'own' | 'total';
  };
}
