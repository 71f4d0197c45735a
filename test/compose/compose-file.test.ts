import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findReferee, requireProgram } from '../support/programs.js';
import { COMPOSE } from '../support/prometheus-process.js';
import { MAIN } from '../support/ringproxy-process.js';
import { ROOT } from '../support/root.js';

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
}

const PROXIES = ['ringproxy-1', 'ringproxy-2'];

const read = (file: string): string => readFileSync(join(COMPOSE, file), 'utf8');
const { services } = parse(read('compose.yaml'), { merge: true }) as ComposeFile;

function dockerCompose(file: string, environment: Readonly<Record<string, string>>, ...args: string[]): string {
  const program = requireProgram('docker-compose');
  return execFileSync(program, ['-f', join(COMPOSE, file), ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
    env: { PATH: process.env.PATH, ...environment },
  });
}

describe.each([
  ['compose.yaml', 11, 5],
  ['secure/compose.yaml', 13, 5],
])('%s', (file, programs, published) => {
  const { services } = parse(read(file), { merge: true }) as ComposeFile;

  it.skipIf(findReferee('docker-compose') === null)('is valid, and takes every image from the environment', () => {
    const variables = [...read(file).matchAll(/\$\{(\w+_IMAGE):-/g)].map(([, name]) => name ?? '');
    const wanted = Object.fromEntries(variables.map((name) => [name, `mine/${name.toLowerCase()}:1`]));
    const config = parse(dockerCompose(file, wanted, 'config')) as ComposeFile;
    expect(Object.keys(config.services)).toHaveLength(programs);
    for (const [name, { image }] of Object.entries(config.services)) expect(image, name).toMatch(/^mine\/\w+_image:1$/);
    dockerCompose(file, {}, 'config', '-q');
  });

  it('publishes on loopback only', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports).toHaveLength(published);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('mounts files that exist', () => {
    const mounts = Object.values(services).flatMap((service) => service.volumes ?? []);
    const files = mounts.flatMap((mount) => (mount.startsWith('./') ? [mount.split(':')[0] ?? ''] : []));
    expect(files.length).toBeGreaterThan(4);
    for (const mounted of files) expect(existsSync(join(COMPOSE, dirname(file), mounted)), mounted).toBe(true);
  });

  it('gives our own programs no more rights than they need, and the proxy time to stop', () => {
    const proxies = Object.keys(services).filter((name) => name.startsWith('ringproxy-'));
    expect(proxies.length).toBeGreaterThan(1);
    for (const name of [...proxies, 'load']) {
      const { read_only, cap_drop, security_opt } = services[name] ?? {};
      expect({ read_only, cap_drop, security_opt }, name).toEqual({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
    // `shutdown-timeout` is 10 s by default, as long as Docker waits when nothing is said.
    for (const name of proxies) {
      expect(Number.parseInt(services[name]?.stop_grace_period ?? '', 10), name).toBeGreaterThan(10);
    }
  });
});

describe('compose.yaml', () => {
  it.each(PROXIES)('gives the proxy settings that it takes: %s', (name) => {
    const environment = services[name]?.environment ?? {};
    const command = /^CMD \["serve", (.*)\]$/m.exec(read('Dockerfile'))?.[1] ?? '';
    const args = JSON.parse(`[${command}]`) as string[];
    expect(args.length).toBeGreaterThan(4);
    execFileSync(process.execPath, [MAIN, 'serve', ...args, '--check'], {
      stdio: 'pipe',
      env: { PATH: process.env.PATH, ...environment },
    });
  });

  it.each(PROXIES)('gives Prometheus and the command line the token of the proxy: %s', (name) => {
    const { RINGPROXY_ADMIN_TOKEN: server, RINGPROXY_TOKEN: client } = services[name]?.environment ?? {};
    const config = parse(read('prometheus.yml')) as { scrape_configs: { authorization?: { credentials: string } }[] };
    expect(client).toBe(server);
    expect(config.scrape_configs[0]?.authorization?.credentials).toBe(server);
  });

  it('has Grafana read the dashboards where they are, from the Prometheus that is there', () => {
    const provider = parse(read('grafana/provisioning/dashboards/ringproxy.yml')) as {
      providers: { options: { path: string } }[];
    };
    expect(services.grafana?.volumes).toContain(
      `./grafana/dashboards:${provider.providers[0]?.options.path ?? 'nowhere'}:ro`,
    );
    const source = parse(read('grafana/provisioning/datasources/prometheus.yml')) as { datasources: { url: string }[] };
    expect(services).toHaveProperty(new URL(source.datasources[0]?.url ?? '').hostname);
    for (const folder of readdirSync(join(COMPOSE, 'grafana/provisioning'))) {
      expect(services.grafana?.volumes).toContain(
        `./grafana/provisioning/${folder}:/etc/grafana/provisioning/${folder}:ro`,
      );
    }
    const home = services.grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH ?? '';
    expect(existsSync(join(COMPOSE, 'grafana/dashboards', basename(home))), home).toBe(true);
  });

  it('has Grafana ask for rates over as many seconds as Prometheus scrapes in', () => {
    const source = parse(read('grafana/provisioning/datasources/prometheus.yml')) as {
      datasources: { uid: string; type: string; jsonData: { timeInterval: string } }[];
    };
    const { global } = parse(read('prometheus.yml')) as { global: { scrape_interval: string } };
    expect(source.datasources).toMatchObject([
      { type: 'prometheus', isDefault: true, jsonData: { timeInterval: global.scrape_interval } },
    ]);
  });

  it('has both proxies agree in the etcd that is there, and reach each other by their names', () => {
    const [one, two] = PROXIES.map((name) => services[name]?.environment ?? {});
    const { RINGPROXY_ADVERTISE_ADMIN: first, ...shared } = one ?? {};
    const { RINGPROXY_ADVERTISE_ADMIN: second, ...others } = two ?? {};
    expect(shared).toEqual(others);
    expect([first, second].map((url) => new URL(url ?? '').hostname)).toEqual(PROXIES);
    expect(services).toHaveProperty(new URL(shared.RINGPROXY_ETCD_ENDPOINTS ?? '').hostname);
    expect(shared.RINGPROXY_COORDINATION).toBe('etcd');
    // Each keeps its own last known ring.
    const volumes = PROXIES.flatMap((name) => services[name]?.volumes ?? []);
    expect(new Set(volumes).size).toBe(PROXIES.length);
  });

  it('has the balancer and Prometheus know both proxies', () => {
    const servers = [...read('haproxy.cfg').matchAll(/^ {2}server (\S+) (\S+):6380$/gm)].map(([, , host]) => host);
    expect(servers).toEqual(PROXIES);
    const config = parse(read('prometheus.yml')) as { scrape_configs: { static_configs: { targets: string[] }[] }[] };
    const targets = config.scrape_configs[0]?.static_configs[0]?.targets;
    expect(targets).toEqual(PROXIES.map((name) => `${name}:6390`));
  });
});

describe('the other files of the demo', () => {
  it('the check without an engine makes an image for every service but Grafana, and starts all of them', () => {
    const script = read('demo-check-offline.sh');
    const both = read('compose.yaml') + read('secure/compose.yaml');
    const variables = [...both.matchAll(/\$\{(\w+_IMAGE):-/g)].map(([, name]) => name ?? '');
    for (const name of new Set(variables)) {
      if (name !== 'GRAFANA_IMAGE') expect(script, name).toContain(`${name}=stand-in:`);
    }
    const started = /DEMO_CHECK_SERVICES='([^']+)'/.exec(script)?.[1]?.split(' ') ?? [];
    expect(started.sort()).toEqual(
      Object.keys(services)
        .filter((name) => name !== 'grafana')
        .sort(),
    );
  });

  it.skipIf(findReferee('haproxy') === null)('haproxy.cfg is valid', () => {
    execFileSync(requireProgram('haproxy'), ['-c', '-f', join(COMPOSE, 'haproxy.cfg')], { stdio: 'pipe' });
  });

  it('.dockerignore lets through what the Dockerfile copies', () => {
    const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8').match(/(?<=^!).+/gm) ?? [];
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files = '']) =>
      files.split(' '),
    );
    expect(copied.sort()).toEqual([...allowed].sort());
  });

  it('the rules that Prometheus loads are there, and their unit tests are not among them', () => {
    const { rule_files: files } = parse(read('prometheus.yml')) as { rule_files: string[] };
    expect(files).toEqual(['rules/recording.yml', 'rules/alerts.yml']);
    for (const file of files) expect(existsSync(join(COMPOSE, file))).toBe(true);
  });
});
