/** Configurations as twemproxy's own folder `conf/` has them, and as people publish them; and single lines of all kinds. */

/** As twemproxy's `conf/nutcracker.yml`. */
export const FIVE_POOLS = `alpha:
  listen: 127.0.0.1:22121
  hash: fnv1a_64
  distribution: ketama
  auto_eject_hosts: true
  redis: true
  server_retry_timeout: 2000
  server_failure_limit: 1
  servers:
   - 127.0.0.1:6379:1

beta:
  listen: 127.0.0.1:22122
  hash: fnv1a_64
  hash_tag: "{}"
  distribution: ketama
  auto_eject_hosts: false
  timeout: 400
  redis: true
  servers:
   - 127.0.0.1:6380:1 server1
   - 127.0.0.1:6381:1 server2
   - 127.0.0.1:6382:1 server3
   - 127.0.0.1:6383:1 server4

gamma:
  listen: 127.0.0.1:22123
  hash: fnv1a_64
  distribution: ketama
  timeout: 400
  backlog: 1024
  preconnect: true
  auto_eject_hosts: true
  server_retry_timeout: 2000
  server_failure_limit: 3
  servers:
   - 127.0.0.1:11212:1
   - 127.0.0.1:11213:1

delta:
  listen: 127.0.0.1:22124
  hash: fnv1a_64
  distribution: ketama
  timeout: 100
  auto_eject_hosts: true
  server_retry_timeout: 2000
  server_failure_limit: 1
  servers:
   - 127.0.0.1:11214:1
   - 127.0.0.1:11215:1
   - 127.0.0.1:11216:1
   - 127.0.0.1:11217:1
   - 127.0.0.1:11218:1

omega:
  listen: /tmp/gamma 0666
  hash: hsieh
  distribution: ketama
  auto_eject_hosts: false
  servers:
   - 127.0.0.1:11214:100000
   - 127.0.0.1:11215:1
`;

/** A root that spreads over leaves, as twemproxy's notes recommend it. */
const LEAF_AND_ROOT = `leaf:
  listen: 127.0.0.1:22121
  hash: fnv1a_64
  distribution: ketama
  auto_eject_hosts: true
  server_retry_timeout: 2000
  server_failure_limit: 1
  redis: true
  servers:
   - 10.0.1.1:6379:1 leaf-1
   - 10.0.1.2:6379:1 leaf-2

root:
  listen: 127.0.0.1:22122
  hash: fnv1a_64
  distribution: ketama
  preconnect: true
  auto_eject_hosts: false
  redis: true
  servers:
   - 127.0.0.1:22121:1
   - 127.0.0.1:22131:1
`;

const SENTINEL_BLOG = `# /etc/nutcracker/nutcracker.yml
redis-cluster:
  listen: 0.0.0.0:6379
  hash: fnv1a_64
  distribution: ketama
  timeout: 1000
  redis: true
  server_connections: 1
  servers:
    - redis-master-1.internal.example.com:6379:1 redis-master-1
    - redis-master-2.internal.example.com:6379:1 redis-master-2
`;

const PASSWORD_OF_DIGITS = `cache:
  listen: '127.0.0.1:22121'
  redis: true
  redis_auth: 00123456789012345678
  client_connections: 0
  server_connections: 100
  timeout: 5
  tcpkeepalive: true
  servers:
  - 'cache-a:6379:1'
  - "cache-b:6379:1"
`;

const CLOUD_HOSTS = `elasticache:
  listen: 127.0.0.1:6379
  hash: murmur
  distribution: ketama
  timeout: 30000
  redis: true
  server_connections: 2
  servers:
   - sessions-production-0001-001.sessions-production.abc123.use1.cache.amazonaws.com:6379:1
   - sessions-production-0002-001.sessions-production.abc123.use1.cache.amazonaws.com:6379:1
`;

const UNIX_SOCKETS = `local:
  listen: /var/run/nutcracker/nutcracker.sock 0777
  hash: one_at_a_time
  redis: true
  redis_db: 3
  servers:
   - /tmp/redis_6380.sock:1
   - /tmp/redis_6381.sock:1 second
   - ::1:6382:2
`;

const MODULA = `sharded:
  listen: 127.0.0.1:22121
  hash: crc16
  distribution: modula
  redis: true
  servers:
   - 127.0.0.1:6379:1 shard-10
   - 127.0.0.1:6380:2 shard-2
   - 127.0.0.1:6381:1 shard-1
`;

const ONE_RANDOM_SERVER = `one:
  listen: 127.0.0.1:22121
  hash: md5
  distribution: random
  redis: true
  servers:
   - 127.0.0.1:6379:1
`;

export const REALISTIC: Readonly<Record<string, string>> = {
  'five pools': FIVE_POOLS,
  'leaf and root': LEAF_AND_ROOT,
  'before masters with names': SENTINEL_BLOG,
  'a password of digits and odd numbers': PASSWORD_OF_DIGITS,
  'long host names': CLOUD_HOSTS,
  'Unix sockets and IPv6': UNIX_SOCKETS,
  modula: MODULA,
  'random with one server': ONE_RANDOM_SERVER,
};

/** Values of directives, good and bad; a file gets some of them. */
export const DIRECTIVE_LINES: Readonly<Record<string, readonly string[]>> = {
  hash: ['fnv1a_64', 'fnv1_64', 'fnv1a_32', 'fnv1_32', 'md5', 'crc16', 'crc32', 'crc32a', 'hsieh', 'murmur'].concat([
    'jenkins',
    'one_at_a_time',
    "'md5'",
    'MD5',
    'murmur3',
    'sha1',
  ]),
  hash_tag: ['"{}"', "'::'", '"##"', '"  "', '"é"', '"a"', '$$', '{}', '""'],
  distribution: ['ketama', '"ketama"', 'modula', 'random', 'Ketama'],
  timeout: [
    '400',
    '5',
    '0',
    '00400',
    '99999999',
    '4294967296',
    '-1',
    '1s',
    '"400"',
    '>-\n    400',
    '|\n    400',
    '',
    '~',
  ],
  backlog: ['512', '0', 'x'],
  client_connections: ['0', '100', '5000000', '1e3'],
  tcpkeepalive: ['true', 'false', 'yes'],
  redis_auth: [
    'secret',
    '0123',
    '12345678901234567890',
    'true',
    '~',
    '"a\\nb"',
    'two words',
    "'it''s'",
    '"#"',
    '&a x',
  ].concat(['0x10', '1e5', '.5', 'p@ss: word', '"\\u00e9"', '""', '[a]', 'a#b', 'a # comment', '!x y', '*a']),
  redis_db: ['0', '3', '20', '99999'],
  preconnect: ['true', 'false', '"true"', 'True', 'on'],
  auto_eject_hosts: ['true', 'false'],
  server_connections: ['1', '4', '100', '0'],
  server_retry_timeout: ['30000', '0'],
  server_failure_limit: ['2', 'many'],
  reuseport: ['true'],
  protocol: ['redis'],
  sentinels: ['\n   - 127.0.0.1:26379:1'],
  listen: ['127.0.0.1:1'],
};

export const LISTENS = [
  '127.0.0.1:22121',
  '0.0.0.0:22121',
  '::1:22121',
  'localhost:022121',
  '/tmp/a.sock',
  '/tmp/a.sock 0666',
].concat(['"/tmp/a b.sock 0666"', '/tmp/a.sock rw', '"[::1]:22121"', '22121', '127.0.0.1:0', '127.0.0.1:6390', '']);

export const SERVERS = [
  '127.0.0.1:6379:1',
  '127.0.0.1:6380:1 one',
  '127.0.0.1:6381:100000',
  '127.0.0.1:6382:2147483647',
]
  .concat(['127.0.0.1:6383:4294967297', '127.0.0.1:11211:1', '10.0.0.1:11211:3 mc', '127.0.0.1:06384:01', '::1:6385:1'])
  .concat([
    '"[::1]:6386:2"',
    '/tmp/redis_6380.sock:1',
    '/tmp/redis_6381.sock:2 sock',
    '"/tmp/a b.sock:1 blank"',
    '"127.0.0.1:6387:1 "',
  ])
  .concat([
    `${'h'.repeat(70)}:6379:1`,
    `${'h'.repeat(600)}:6379:1`,
    `127.0.0.1:6388:1 ${'n'.repeat(100)}`,
    '127.0.0.1:6389:1 "q"',
  ])
  .concat([
    "'127.0.0.1:6390:1 é'",
    '"127.0.0.1:6391:1 a\\tb"',
    '127.0.0.1:6392:1 # comment',
    '127.0.0.1:6393:1#x',
    ':6394:1',
  ])
  .concat([
    '127.0.0.1:6395:0',
    '127.0.0.1:0:1',
    '127.0.0.1:65536:1',
    'redis.example.com:6379:1',
    '127.0.0.1:6379:1 again',
  ])
  .concat([
    '127.0.0.1:6396:1 a=b*2',
    '127.0.0.1:6397:1\n     folded',
    '{a: b}',
    '127.0.0.1:6398:1  two',
    '"127.0.0.1 :6399:1 x"',
  ]);
