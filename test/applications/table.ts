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
  /** Its scripts write several keys: what its keys are to begin with, so that they are on one node. */
  readonly tag?: string;
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
  {
    name: 'redis-py',
    language: 'python',
    program: 'redis_py.py',
    library: 'python3-redis',
    crosses: ['exec', 'rename'],
  },
  { name: 'redis-rb', language: 'ruby', program: 'redis_rb.rb', library: 'ruby-redis', crosses: ['exec', 'sunion'] },
  { name: 'phpredis', language: 'php', program: 'phpredis.php', library: 'php-redis', crosses: ['exec', 'rename'] },
  { name: 'BullMQ', language: 'node', program: 'bullmq.mjs', library: null, crosses: [], tag: '{bull}' },
  { name: 'node-resque', language: 'node', program: 'node_resque.mjs', library: null, crosses: [], tag: '{resque}' },
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
  { name: 'Bottleneck', language: 'node', program: 'bottleneck.mjs', library: null, crosses: [], tag: '{limiter}' },
  { name: 'Redlock', language: 'node', program: 'redlock.mjs', library: null, crosses: [], tag: '{locks}' },
];
