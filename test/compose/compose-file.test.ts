import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
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

const read = (file: string): string => readFileSync(join(COMPOSE, file), 'utf8');
const { services } = parse(read('compose.yaml'), { merge: true }) as ComposeFile;

function dockerCompose(environment: Readonly<Record<string, string>>, ...args: string[]): string {
  const program = requireProgram('docker-compose');
  return execFileSync(program, ['-f', join(COMPOSE, 'compose.yaml'), ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
    env: { PATH: process.env.PATH, ...environment },
  });
}

describe('compose.yaml', () => {
  it.skipIf(findReferee('docker-compose') === null)('is valid, and takes every image from the environment', () => {
    const variables = [...read('compose.yaml').matchAll(/\$\{(\w+_IMAGE):-/g)].map(([, name]) => name ?? '');
    const wanted = Object.fromEntries(variables.map((name) => [name, `mine/${name.toLowerCase()}:1`]));
    const config = parse(dockerCompose(wanted, 'config')) as ComposeFile;
    expect(Object.keys(config.services)).toHaveLength(9);
    for (const [name, { image }] of Object.entries(config.services)) expect(image, name).toMatch(/^mine\/\w+_image:1$/);
    dockerCompose({}, 'config', '-q');
  });

  it('publishes on loopback only', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports).toHaveLength(4);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('mounts files that exist', () => {
    const mounts = Object.values(services).flatMap((service) => service.volumes ?? []);
    const files = mounts.flatMap((mount) => (mount.startsWith('./') ? [mount.split(':')[0] ?? ''] : []));
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) expect(existsSync(join(COMPOSE, file)), file).toBe(true);
  });

  it('gives the proxy settings that it takes', () => {
    const environment = services.ringproxy?.environment ?? {};
    const command = /^CMD \["serve", (.*)\]$/m.exec(read('Dockerfile'))?.[1] ?? '';
    const args = JSON.parse(`[${command}]`) as string[];
    expect(args.length).toBeGreaterThan(4);
    execFileSync(process.execPath, [MAIN, 'serve', ...args, '--check'], {
      stdio: 'pipe',
      env: { PATH: process.env.PATH, ...environment },
    });
  });

  it('gives Prometheus and the command line the token of the proxy', () => {
    const { RINGPROXY_ADMIN_TOKEN: server, RINGPROXY_TOKEN: client } = services.ringproxy?.environment ?? {};
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

  it('gives our own programs no more rights than they need, and the proxy time to stop', () => {
    for (const name of ['ringproxy', 'load']) {
      const { read_only, cap_drop, security_opt } = services[name] ?? {};
      expect({ read_only, cap_drop, security_opt }, name).toEqual({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
    // `shutdown-timeout` is 10 s by default, as long as Docker waits when nothing is said.
    expect(Number.parseInt(services.ringproxy?.stop_grace_period ?? '', 10)).toBeGreaterThan(10);
  });
});

describe('the other files of the demo', () => {
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
