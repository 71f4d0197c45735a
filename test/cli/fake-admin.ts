import Fastify, { type FastifyInstance } from 'fastify';
import type { ChangeView, CoordinationView, HistoryEntry, ProxyView, RingView } from '../../src/admin/api.js';
import { atEnd } from '../support/cleanup.js';

/** An HTTP server that answers as the admin API does, with what the test says. Ends with the test. */
export async function startAdmin(routes: (server: FastifyInstance) => void): Promise<string> {
  const server = Fastify();
  routes(server);
  atEnd(() => server.close());
  return server.listen({ port: 0, host: '127.0.0.1' });
}

export function ringView(fields: Partial<RingView> = {}): RingView {
  return {
    generation: 1,
    phase: 'stable',
    hash: 'murmur3',
    distribution: 'ketama',
    hashTag: '{}',
    hashTags: [],
    vnodes: 4096,
    nodes: [
      {
        name: 'a',
        address: '127.0.0.1:7001',
        tls: false,
        weight: 1,
        state: 'active',
        share: 1,
        nextShare: null,
        keys: 1234567,
        usedMemory: 1536,
        version: '7.0.0',
        figures: null,
        error: null,
        downSince: null,
        master: null,
        reason: null,
        ejection: null,
        downFor: [],
        opinions: [],
      },
    ],
    change: null,
    proxies: [],
    coordination: coordinationView(),
    ...fields,
  };
}

export function proxyView(fields: Partial<ProxyView> = {}): ProxyView {
  return {
    id: 'a1a1a1a1a1a1',
    admin: '',
    alive: true,
    generation: 1,
    phase: 'stable',
    workers: 1,
    version: '1.0.0',
    fencedOff: false,
    coordinator: true,
    jobs: [],
    startedAt: '2026-01-01T00:00:00.000Z',
    load: null,
    ...fields,
  };
}

export function coordinationView(fields: Partial<CoordinationView> = {}): CoordinationView {
  return {
    kind: 'none',
    proxy: 'a1a1a1a1a1a1',
    consistency: 'strict',
    reachable: true,
    unreachableSince: null,
    leaseSeconds: null,
    trouble: null,
    ...fields,
  };
}

export function changeView(fields: Partial<ChangeView> = {}): ChangeView {
  return {
    id: 'c1',
    kind: 'add',
    summary: 'add b',
    phase: 'moving',
    paused: false,
    startedAt: new Date().toISOString(),
    keysMoved: 50,
    keysScanned: 100,
    keysEstimated: 200,
    bytesMoved: 1000,
    keysDropped: 0,
    percent: 50,
    etaSeconds: 3,
    keysPerSecond: 100,
    throttle: 0,
    sources: [],
    error: null,
    ...fields,
  };
}

export function historyEntry(fields: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    id: 'c1',
    kind: 'add',
    generation: 2,
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:02.000Z',
    by: 'p1',
    who: null,
    summary: 'add b',
    keysMoved: 1000,
    bytesMoved: 64_000,
    keysDropped: 0,
    durationSeconds: 2,
    ...fields,
  };
}
