/** The admin API over a proxy that notes what is asked of it. */
import { Credentials, type NamedToken } from '../../src/admin/access/credentials.js';
import type { AuditEntry } from '../../src/admin/api.js';
import { Audit } from '../../src/admin/audit/audit.js';
import type { AdminBackend } from '../../src/admin/backend.js';
import type { PeerPort } from '../../src/admin/peer-routes.js';
import { AdminServer } from '../../src/admin/server.js';
import { RingproxyError } from '../../src/errors.js';
import { coordinationView, proxyView } from '../cli/fake-admin.js';
import { atEnd } from '../support/cleanup.js';
import { EventSource } from './event-source.js';

/** Notes what is asked, and answers little. */
export class Backend implements AdminBackend {
  readonly calls: string[] = [];
  readonly audit: AdminBackend['audit'];
  readonly source = new EventSource();

  constructor(audit: Audit) {
    this.audit = { view: async ({ limit }) => ({ entries: audit.newest(limit), missing: [] }) };
  }

  readiness = { ready: true, reason: '' };

  readonly ring: AdminBackend['ring'] = {
    view: () => {
      const base = { generation: 1, phase: 'stable', hash: 'murmur3', distribution: 'ketama' } as const;
      return { ...base, hashTag: '{}', hashTags: [], vnodes: 160, nodes: [], change: null };
    },
    arcs: (limit) => {
      this.calls.push(`arcs ${limit}`);
      return { generation: 1, phase: 'stable', points: 0, exact: true, nodes: [], arcs: [] };
    },
    which: (keys) => {
      this.calls.push(...keys.map((key) => key.toString('hex')));
      return [];
    },
    change: async () => {
      throw new RingproxyError('CHANGE_RUNNING', 'another change is under way', 'wait for it');
    },
    pause: async () => {
      this.calls.push('pause');
    },
    resume: async (noDrain) => {
      this.calls.push(noDrain ? 'resume without draining' : 'resume');
    },
    throttle: async (keysPerSecond) => {
      this.calls.push(`throttle ${keysPerSecond}`);
    },
    cancel: async () => {
      this.calls.push('cancel');
    },
    previewCancel: () => {
      this.calls.push('preview of cancel');
      return { generation: 3, dryRun: true, warnings: [], moves: [], survey: null };
    },
    forget: async (proxyId) => {
      this.calls.push(`forget ${proxyId}`);
    },
    history: () => {
      throw new Error('a secret of the inside');
    },
  };
  readonly strays: AdminBackend['strays'] = {
    report: () => ({ running: false, fix: false, nodes: [] }),
    check: async (fix) => {
      this.calls.push(`check strays${fix ? ', fix' : ''}`);
      return { running: true, fix, nodes: [] };
    },
  };
  readonly plane: AdminBackend['plane'] = {
    stats: () => {
      throw new RingproxyError('NOT_READY', 'the ring is not known yet', 'try again');
    },
    ready: async () => this.readiness,
  };
  readonly load: AdminBackend['load'] = {
    over: (seconds) => {
      this.calls.push(`load ${seconds}`);
      return null;
    },
    samples: (since) => {
      this.calls.push(`history ${since?.toISOString() ?? 'all'}`);
      return [];
    },
  };
  readonly hotKeys: AdminBackend['hotKeys'] = {
    view: async ({ limit, fleet }) => {
      this.calls.push(`hot keys ${limit}${fleet ? ' of all' : ''}`);
      return { keys: [], sampled: 0, perSecond: 0, missing: [] };
    },
  };
  readonly advice: AdminBackend['advice'] = {
    view: async ({ limit, fleet }) => {
      this.calls.push(`advice ${limit}${fleet ? ' of all' : ''}`);
      return { commands: 0, refused: 0, advice: [], hashTags: [], missing: [] };
    },
  };
  readonly groups: AdminBackend['groups'] = {
    view: async (fleet) => {
      this.calls.push(fleet ? 'groups of all' : 'groups');
      return { source: 'configuration', revision: 0, changed: null, groups: [], other: null, missing: [] };
    },
    change: async (change, options) => {
      this.calls.push(`${JSON.stringify(change)} ${JSON.stringify(options)}`);
    },
    preview: async (change, options) => {
      this.calls.push(`preview of ${JSON.stringify(change)} ${JSON.stringify(options)}`);
      const nothing = { differences: [], groups: [], hidden: [], needsForce: false };
      return { dryRun: true, source: 'configuration', revision: 0, ...nothing };
    },
  };
  readonly events: AdminBackend['events'] = {
    recent: () => [
      { channel: 'ringproxy:ring:begun', at: new Date(1000), event: { kind: 'add' } },
      { channel: 'ringproxy:upstream:up', at: new Date(2000), event: { node: 'a' } },
    ],
    subscribe: this.source.subscribe,
  };
  readonly metrics: AdminBackend['metrics'] = {
    read: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'ringproxy_up 1\n' }),
  };

  readonly fleet: AdminBackend['fleet'] = {
    proxies: () => [proxyView({ id: 'p' })],
    coordination: () => coordinationView({ kind: 'etcd', proxy: 'p' }),
    opinionsOf: () => [],
  };
}

export interface ServedAdmin {
  readonly url: string;
  readonly backend: Backend;
  readonly credentials: Credentials;
  readonly audit: Audit;
  /** What was told of calls, in words. */
  readonly told: string[];
  /** What it has reported as such. */
  readonly bugs: Error[];
}

/** Serves the API on a free port. It ends with the test. */
export async function serveAdmin(
  options: {
    token?: string;
    operator?: string;
    viewer?: string;
    peers?: PeerPort;
    now?: () => number;
    audit?: Audit;
  } = {},
): Promise<ServedAdmin> {
  const { token, operator, viewer, peers = null, now = () => performance.now() } = options;
  const tokens = { admin: listed('admin', token), operator: listed('olga', operator), viewer: listed('vera', viewer) };
  const credentials = new Credentials(tokens);
  const told: string[] = [];
  const log = (_entry: AuditEntry, summary: string): void => void told.push(summary);
  const audit = options.audit ?? new Audit({ proxy: () => 'p', keep: null, log, warn: () => {}, now });
  const backend = new Backend(audit);
  const bugs: Error[] = [];
  const listen = { host: '127.0.0.1', port: 0 };
  const server = new AdminServer(backend, {
    listen,
    tls: null,
    credentials,
    audit,
    peers,
    onError: (error) => bugs.push(error),
  });
  atEnd(() => server.close());
  return { url: await server.listen(), backend, credentials, audit, told, bugs };
}

function listed(name: string, token: string | undefined): NamedToken[] {
  return token === undefined ? [] : [{ name, token }];
}
