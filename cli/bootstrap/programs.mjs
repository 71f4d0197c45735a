import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { environment, fail, run } from './project.mjs';

/** What each program's package is called, by package manager. */
const PACKAGES = {
  'redis-server': { apt: 'redis-server', dnf: 'redis', apk: 'redis', brew: 'redis', pacman: 'redis' },
  'redis-cli': { apt: 'redis-tools', dnf: 'redis', apk: 'redis', brew: 'redis', pacman: 'redis' },
  'redis-benchmark': { apt: 'redis-tools', dnf: 'redis', apk: 'redis', brew: 'redis', pacman: 'redis' },
  prometheus: { apt: 'prometheus', dnf: 'prometheus', apk: 'prometheus', brew: 'prometheus', pacman: 'prometheus' },
  promtool: { apt: 'prometheus', dnf: 'prometheus', apk: 'prometheus', brew: 'prometheus', pacman: 'prometheus' },
  'docker-compose': { apt: 'docker-compose', dnf: 'docker-compose', apk: 'docker-compose', brew: 'docker-compose' },
  haproxy: { apt: 'haproxy', dnf: 'haproxy', apk: 'haproxy', brew: 'haproxy', pacman: 'haproxy' },
  chromium: { apt: 'chromium', dnf: 'chromium', apk: 'chromium', pacman: 'chromium' },
  ip: { apt: 'iproute2', dnf: 'iproute', apk: 'iproute2', pacman: 'iproute2' },
  iptables: { apt: 'iptables', dnf: 'iptables', apk: 'iptables', pacman: 'iptables' },
  perl: { apt: 'perl', dnf: 'perl', apk: 'perl', brew: 'perl', pacman: 'perl' },
  etcd: { apt: 'etcd-server', dnf: 'etcd', apk: 'etcd', brew: 'etcd', pacman: 'etcd' },
  etcdctl: { apt: 'etcd-client', dnf: 'etcd', apk: 'etcd-ctl', brew: 'etcd', pacman: 'etcd' },
  faketime: { apt: 'faketime', dnf: 'libfaketime', apk: 'libfaketime', pacman: 'libfaketime' },
  nutcracker: { apt: 'nutcracker', dnf: 'nutcracker', brew: 'twemproxy' },
};

/** Libraries of other languages, by their package in Debian: what ends with 0 when the library is there. */
const LIBRARIES = {
  'python3-redis': python('redis'),
  'python3-django-redis': python('django_redis'),
  'python3-celery': python('celery'),
  'python3-rq': python('rq'),
  'ruby-redis': ruby('redis'),
  'ruby-sidekiq': ruby('sidekiq'),
  'ruby-activesupport': ruby('activesupport'),
  'php-cli': php('true'),
  'php-redis': php('class_exists("Redis")'),
  'php-predis': php('(bool) stream_resolve_include_path("Predis/autoload.php")'),
};

/** Applications that the tests run at a ring and at a single Redis. */
export const APPLICATIONS = Object.keys(LIBRARIES);

const MANAGERS = [
  {
    name: 'apt',
    program: 'apt-get',
    prepare: ['update', '-qq'],
    install: ['install', '-y', '-qq', '--no-install-recommends'],
  },
  { name: 'dnf', program: 'dnf', install: ['install', '-y', '-q'] },
  { name: 'apk', program: 'apk', install: ['add', '--no-cache'] },
  { name: 'pacman', program: 'pacman', install: ['-Sy', '--noconfirm', '--needed'] },
  // Homebrew refuses to run as root.
  { name: 'brew', program: 'brew', install: ['install'], asUser: true },
];

/** @param program or one of APPLICATIONS */
export function isInstalled(program) {
  const probe = LIBRARIES[program];
  if (probe !== undefined) return spawnSync(probe[0], probe[1], { stdio: 'ignore' }).status === 0;
  return environment.PATH.split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Installs the programs that are missing with the system's package manager. Ends the program with a message when
 * one of `required` cannot be installed; does without those of `optional`.
 */
export function ensurePrograms(required, optional = []) {
  const missing = [...required, ...optional].filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  const manager = MANAGERS.find(({ program }) => isInstalled(program));
  const packages = [...new Set(missing.map((program) => packageOf(program, manager?.name)).filter(Boolean))];
  if (manager !== undefined && packages.length > 0) install(manager, packages);
  const still = required.filter((program) => !isInstalled(program));
  if (still.length > 0) {
    const hint =
      packages.length > 0 ? `, for example: ${manager.program} ${manager.install[0]} ${packages.join(' ')}` : '';
    fail(`${still.join(', ')} not found, and could not be installed. Please install it${hint}`);
  }
  for (const program of optional) {
    if (!isInstalled(program)) console.error(`${program} is not available here: what needs it is skipped.`);
  }
}

function packageOf(program, manager) {
  if (program in LIBRARIES) return manager === 'apt' ? program : undefined;
  return PACKAGES[program][manager];
}

// The system's own interpreters: the packages are theirs.

function python(module) {
  const probe = `import sys, importlib.util as u; sys.exit(u.find_spec("${module}") is None)`;
  return ['/usr/bin/python3', ['-c', probe]];
}

function ruby(gem) {
  return ['/usr/bin/ruby', ['-e', `Gem::Specification.find_by_name("${gem}")`]];
}

function php(condition) {
  return ['/usr/bin/php', ['-r', `exit(${condition} ? 0 : 1);`]];
}

function install(manager, packages) {
  const prefix = manager.asUser || process.getuid?.() === 0 ? [] : sudo();
  if (prefix === null) return;
  console.error(`Installing ${packages.join(', ')} (${manager.program}) …`);
  // Through env(1), since sudo does not hand on our environment.
  const command = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'HOMEBREW_NO_AUTO_UPDATE=1', manager.program];
  const call = (args) => run(command[0], [...command.slice(1), ...args]);
  if (manager.prepare !== undefined) call(manager.prepare);
  // One by one where they fail together: one may be unknown to this release.
  if (call([...manager.install, ...packages]) !== 0 && packages.length > 1) {
    for (const name of packages) call([...manager.install, name]);
  }
}

/** @returns how to become root: with a password only where somebody can type it; null when there is no way */
function sudo() {
  if (!isInstalled('sudo')) return null;
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n'];
  return process.stdin.isTTY ? ['sudo'] : null;
}
