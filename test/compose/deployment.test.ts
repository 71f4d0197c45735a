/** Units, manifests and examples: that what they name is there, and that the configurations in them are run. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { routeRows } from '../../src/admin/routes/table.js';
import { environmentName } from '../../src/config/environment.js';
import { loadConfig } from '../../src/config/load.js';
import { SETTINGS } from '../../src/config/settings.js';
import { ringproxy } from '../cli/run.js';
import { hasEtcd, startEtcd } from '../support/etcd-process.js';
import { findReferee } from '../support/programs.js';
import { COMPOSE } from '../support/prometheus-process.js';
import { startRedises } from '../support/redis-process.js';
import { MAIN, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const EXAMPLES = readdirSync(join(COMPOSE, 'examples')).filter((name) => name.endsWith('.yaml'));
const SECRETS = ['admin-token', 'admin-viewer-token', 'peer-token'];

/** A configuration with its secrets' files where the test has some. @returns the file */
function withSecrets(file: string): string {
  const folder = tempFolder('deployment');
  for (const name of SECRETS) writeFileSync(join(folder, name), `of-${name}\n`);
  const text = readFileSync(file, 'utf8').replaceAll(/\/etc\/ringproxy(-secrets)?\//g, `${folder}/`);
  const own = join(folder, 'ringproxy.yaml');
  writeFileSync(own, text.replaceAll('/var/lib/ringproxy', join(folder, 'state')));
  return own;
}

describe('the examples', () => {
  it.each(EXAMPLES)('%s is understood, without a warning', async (name) => {
    const { code, err } = await ringproxy(['config', 'check', withSecrets(join(COMPOSE, 'examples', name))]);
    expect([code, err]).toEqual([0, '']);
    expect(readFileSync(join(COMPOSE, 'examples/README.md'), 'utf8')).toContain(`(${name})`);
  });

  it.skipIf(!hasEtcd)('serve, before real nodes', async () => {
    const redises = await startRedises(3);
    const etcd = await startEtcd();
    for (const name of EXAMPLES) {
      const file = withSecrets(join(COMPOSE, 'examples', name));
      const { nodes, coordination, password } = loadConfig({ file });
      const prefix = coordination === 'none' ? [] : ['--etcd-prefix', `/${name}/`];
      const proxy = await startRingproxy({
        // The names are the example's.
        nodes: nodes.map((node, index) => `${node.name}=${redises[index]?.address}*${node.weight}`),
        args: ['-c', file, '--workers', '1', ...prefix],
        env:
          coordination === 'none'
            ? {}
            : { RINGPROXY_ETCD_ENDPOINTS: etcd.endpoints.join(','), RINGPROXY_ADVERTISE_ADMIN: '' },
      });
      const client = proxy.client(password === '' ? {} : { password });
      expect([name, await client.set(`page:${name}`, 'x'), await client.get(`page:${name}`)]).toEqual([
        name,
        'OK',
        'x',
      ]);
      expect(await proxy.stop()).toBe(0);
    }
  });

  it('of twemproxy is what its nutcracker.yml becomes', async () => {
    const nutcracker = join(COMPOSE, 'examples/nutcracker.yml');
    const { out } = await ringproxy(['config', 'import-twemproxy', nutcracker]);
    const file = join(tempFolder('imported'), 'ringproxy.yaml');
    writeFileSync(file, out);
    expect(loadConfig({ file: join(COMPOSE, 'examples/from-twemproxy.yaml') })).toEqual(loadConfig({ file }));
  });
});

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: object;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
}

interface Pod {
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: { readonly runAsNonRoot: boolean };
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string };
    readonly secret?: { readonly items: readonly { readonly path: string }[] };
  }[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas?: number;
    readonly minAvailable?: number;
    readonly selector?: { readonly matchLabels?: object } | object;
    readonly ports?: readonly { readonly targetPort?: string }[];
    readonly template?: { readonly metadata: { readonly labels: object }; readonly spec: Pod };
  };
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator?: readonly { readonly name: string; readonly files: readonly string[] }[];
}

const KUBERNETES = join(COMPOSE, 'kubernetes');

function manifestsOf(folder: string): Manifest[] {
  const { resources } = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as Kustomization;
  return resources.flatMap((resource) => {
    const path = join(folder, resource);
    if (!/\.ya?ml$/.test(resource)) return manifestsOf(path);
    return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS() as Manifest);
  });
}

describe.each(['fleet', 'sidecar'])('the manifests of kubernetes/%s', (folder) => {
  const manifests = manifestsOf(join(KUBERNETES, folder));
  const pods = manifests.flatMap(({ spec }) => (spec.template === undefined ? [] : [spec.template]));
  const pod = pods.find(({ spec }) => all(spec).some(({ name }) => name === 'ringproxy'))?.spec;
  const proxy = pod === undefined ? undefined : all(pod).find(({ name }) => name === 'ringproxy');
  if (pod === undefined || proxy === undefined) throw new Error('no pod has a proxy');
  const config = loadConfig({ file: withSecrets(join(KUBERNETES, folder, 'ringproxy.yaml')), env: envOf(proxy) });

  it('name what there is: ports, paths, volumes, selectors', () => {
    for (const { spec } of pods) {
      for (const container of all(spec)) {
        for (const { name } of container.volumeMounts ?? []) {
          const claims = JSON.stringify(manifests).includes(`"volumeClaimTemplates":[{"metadata":{"name":"${name}"}`);
          expect([name, claims || spec.volumes.some((volume) => volume.name === name)]).toEqual([name, true]);
        }
        const ports = (container.ports ?? []).map((port) => port.name);
        for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
          if (probe?.httpGet !== undefined) expect(ports).toContain(probe.httpGet.port);
        }
      }
    }
    for (const { kind, metadata, spec } of manifests) {
      const wanted = Object.entries(selectorOf(spec));
      if (wanted.length === 0) continue;
      const chosen = pods.filter(({ metadata: { labels } }) =>
        wanted.every(([key, value]) => Reflect.get(labels, key) === value),
      );
      expect([kind, metadata.name, chosen.length]).toEqual([kind, metadata.name, 1]);
      const ports = all(chosen[0]?.spec ?? pod)
        .flatMap((container) => container.ports ?? [])
        .map(({ name }) => name);
      for (const { targetPort } of kind === 'Service' ? (spec.ports ?? []) : []) {
        if (targetPort !== undefined) expect(ports).toContain(targetPort);
      }
    }
  });

  it('have the proxy where its configuration and its probes look', () => {
    const port = (name: string): number => proxy.ports?.find((one) => one.name === name)?.containerPort ?? 0;
    expect(config.admin).toBe(`0.0.0.0:${port('admin')}`);
    if (folder === 'fleet') expect(config.listen).toBe(`0.0.0.0:${port('redis')}`);
    const open = routeRows().flatMap(([name, { needs }]) => (needs === 'nobody' ? [name] : []));
    for (const probe of [proxy.livenessProbe, proxy.readinessProbe, proxy.startupProbe]) {
      if (probe?.httpGet !== undefined) expect(open).toContain(`GET ${probe.httpGet.path}`);
    }
    const known = Object.values(SETTINGS).map(environmentName);
    for (const { name } of proxy.env ?? []) expect([...known, 'POD_IP']).toContain(name);
    const mounts = (proxy.volumeMounts ?? []).map(({ mountPath }) => mountPath);
    for (const path of [proxy.args?.at(-1) ?? '', ...text().matchAll(/: (\/\S+\/)[\w-]+$/gm)].map((found) =>
      String(found),
    )) {
      expect(mounts.some((mount) => path.includes(mount))).toBe(true);
    }
    const secrets = pod.volumes.flatMap(({ secret }) => secret?.items ?? []).map((item) => item.path);
    for (const [, name] of text().matchAll(/\/etc\/ringproxy-secrets\/(\S+)/g)) expect(secrets).toContain(name);
    const kustomization = parse(readFileSync(join(KUBERNETES, folder, 'kustomization.yaml'), 'utf8')) as Kustomization;
    const maps = pod.volumes.flatMap(({ configMap }) => (configMap === undefined ? [] : [configMap.name]));
    expect(kustomization.configMapGenerator?.map(({ name }) => name)).toEqual(maps);
    const endpoints = manifests.filter(
      ({ kind, metadata }) => kind === 'Service' && metadata.name === 'ringproxy-etcd',
    );
    expect([endpoints.length, config.etcdEndpoints.every((url) => url.includes('.ringproxy-etcd:2379'))]).toEqual([
      1,
      true,
    ]);
  });

  it('give each pod no rights, and time enough to end', () => {
    for (const { spec } of pods) {
      expect(spec).toMatchObject({ enableServiceLinks: false, securityContext: { runAsNonRoot: true } });
      for (const container of all(spec)) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
    const pause = Number(proxy.lifecycle?.preStop.exec.command.at(-1) ?? 0);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(pause + config.shutdownTimeout / 1000 + 5);
    const budget = manifests.find(
      ({ kind, metadata }) => kind === 'PodDisruptionBudget' && metadata.name === 'ringproxy',
    );
    const replicas = manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'ringproxy');
    if (folder === 'fleet') expect(budget?.spec.minAvailable).toBeLessThan(replicas?.spec.replicas ?? 0);
  });

  function text(): string {
    return readFileSync(join(KUBERNETES, folder, 'ringproxy.yaml'), 'utf8');
  }
});

function all({ containers, initContainers = [] }: Pod): Container[] {
  return [...containers, ...initContainers];
}

/** As the pod has it: an address, and a password. */
function envOf({ env = [] }: Container): Record<string, string> {
  const values: Readonly<Record<string, string>> = { RINGPROXY_ADVERTISE_ADMIN: 'http://10.0.0.1:6390' };
  return Object.fromEntries(env.flatMap(({ name }) => (name === 'POD_IP' ? [] : [[name, values[name] ?? 'x']])));
}

function selectorOf({ selector = {} }: Manifest['spec']): object {
  const labels: unknown = 'matchLabels' in selector ? selector.matchLabels : selector;
  return typeof labels === 'object' && labels !== null ? labels : {};
}

describe.skipIf(findReferee('systemd-analyze') === null)('the unit for systemd', () => {
  const source = readFileSync(join(COMPOSE, 'systemd/ringproxy.service'), 'utf8');

  /** With a program that is there. @returns the unit's file */
  function unit(): string {
    const file = join(tempFolder('unit'), 'ringproxy.service');
    writeFileSync(file, source.replace('/usr/local/bin/ringproxy', MAIN));
    return file;
  }

  it('is understood', () => {
    const { stderr, status } = spawnSync('systemd-analyze', ['verify', '--man=no', unit()], { encoding: 'utf8' });
    // Units of this machine may have mistakes of their own.
    expect(stderr.split('\n').filter((line) => line.includes('ringproxy.service'))).toEqual([]);
    expect(status === 0 || stderr !== '').toBe(true);
  });

  it('gives the proxy few rights', () => {
    const text = execFileSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', unit()], {
      encoding: 'utf8',
    });
    const [, exposure] = /exposure level for \S+: ([\d.]+)/.exec(text) ?? [];
    expect(Number(exposure)).toBeLessThan(2);
  });

  it('waits for longer than the proxy takes to end, and calls what there is', () => {
    const standard = loadConfig({ flags: { nodes: ['a=127.0.0.1:1'] } });
    const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(source)?.[1]);
    expect(seconds * 1000).toBeGreaterThan(standard.shutdownTimeout + 5000);
    for (const [, name = ''] of source.matchAll(/Environment=(RINGPROXY_\w+)=/g)) {
      expect(Object.values(SETTINGS).map(environmentName)).toContain(name);
    }
    expect(existsSync(MAIN)).toBe(true);
  });
});
