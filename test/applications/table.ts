/** Applications that were written for one Redis, and what each of them is run with. */

/** The system's own: its packages of libraries are theirs. */
export const INTERPRETERS = {
  python: '/usr/bin/python3',
  ruby: '/usr/bin/ruby',
  php: '/usr/bin/php',
  node: process.execPath,
} as const;

export interface Application {
  readonly name: string;
  readonly language: keyof typeof INTERPRETERS;
  /** In `programs`. */
  readonly program: string;
  /** Its package in Debian; null for what npm brings. */
  readonly library: string | null;
  /** Commands that it sends about keys of several nodes: so we know that its keys are on several nodes. */
  readonly crosses: readonly string[];
  /** Its scripts write several keys, which are on one node by this pattern of the ring (`ring.hash-tags`). */
  readonly pattern?: string;
}

/** Those that take longest stand first: two are run at a time. */
export const APPLICATIONS: readonly Application[] = [
  {
    name: 'Celery',
    language: 'python',
    program: 'celery_app.py',
    library: 'python3-celery',
    crosses: ['exec', 'brpop'],
  },
  { name: 'Sidekiq', language: 'ruby', program: 'sidekiq_app.rb', library: 'ruby-sidekiq', crosses: ['exec', 'brpop'] },
  { name: 'RQ', language: 'python', program: 'rq_app.py', library: 'python3-rq', crosses: ['exec', 'blpop'] },
  {
    name: 'redis-py',
    language: 'python',
    program: 'redis_py.py',
    library: 'python3-redis',
    crosses: ['exec', 'rename', 'brpoplpush'],
  },
  {
    name: 'redis-rb',
    language: 'ruby',
    program: 'redis_rb.rb',
    library: 'ruby-redis',
    crosses: ['exec', 'sunion', 'brpoplpush'],
  },
  {
    name: 'phpredis',
    language: 'php',
    program: 'phpredis.php',
    library: 'php-redis',
    crosses: ['exec', 'rename', 'brpoplpush'],
  },
  { name: 'BullMQ', language: 'node', program: 'bullmq.mjs', library: null, crosses: [], pattern: 'bull:{*}:' },
  {
    name: 'node-resque',
    language: 'node',
    program: 'node_resque.mjs',
    library: null,
    crosses: [],
    pattern: '{resque:}',
  },
  { name: 'Keyv and cache-manager', language: 'node', program: 'keyv.mjs', library: null, crosses: ['exec'] },
  {
    name: 'django-redis',
    language: 'python',
    program: 'django_cache.py',
    library: 'python3-django-redis',
    crosses: ['exec'],
  },
  { name: 'Rails’ cache', language: 'ruby', program: 'rails_cache.rb', library: 'ruby-activesupport', crosses: [] },
  { name: 'Predis', language: 'php', program: 'predis.php', library: 'php-predis', crosses: ['exec', 'rename'] },
  { name: 'Bottleneck', language: 'node', program: 'bottleneck.mjs', library: null, crosses: [], pattern: 'b_{*}_' },
  { name: 'Redlock', language: 'node', program: 'redlock.mjs', library: null, crosses: [], pattern: '{locks:}' },
];
