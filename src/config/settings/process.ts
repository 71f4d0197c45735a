/** Settings of the process: where it serves, what it keeps, what it says. */
import { z } from 'zod';
import { nodes } from './nodes.js';
import type { Setting } from './setting.js';

const workers: z.ZodType<number | 'auto'> = z
  .unknown()
  .transform((value, context) => {
    if (value === 'auto') return value;
    const count = Number(value);
    if (Number.isInteger(count) && count >= 1 && count <= 64) return count;
    context.addIssue({ code: 'custom', message: 'expected a whole number from 1 to 64, or auto' });
    return z.NEVER;
  })
  .prefault(1);

export const PROCESS_SETTINGS = {
  listen: {
    path: 'listen',
    type: 'address',
    off: true,
    default: '127.0.0.1:6380',
    help: 'where clients connect: HOST:PORT, or unix:/PATH; port 0 picks a free one; off: by tls-listen alone',
    flag: 'HOST:PORT',
  },
  admin: {
    path: 'admin',
    type: 'address',
    off: true,
    default: '127.0.0.1:6390',
    help: 'where the admin API and the metrics are served',
    flag: 'HOST:PORT',
  },
  adminToken: {
    path: 'admin-token',
    type: 'text',
    default: '',
    help: 'bearer token of the admin API; needed when it is served beyond loopback',
  },
  adminTokenFile: {
    path: 'admin-token-file',
    type: 'file',
    help: 'file with that token, or several, a line each, as TOKEN or NAME: TOKEN (8 or more characters; lines that begin with # are comments): all are valid, so that one can take the place of another (SIGHUP reads it again), and the audit log names whose it was',
    flag: 'FILE',
  },
  adminOperatorToken: {
    path: 'admin-operator-token',
    type: 'text',
    default: '',
    help: 'bearer token of the admin API for those who change the ring in ways that lose nothing; needs an admin-token beside it',
  },
  adminOperatorTokenFile: {
    path: 'admin-operator-token-file',
    type: 'file',
    help: 'file with that token, or several, as in admin-token-file',
    flag: 'FILE',
  },
  adminViewerToken: {
    path: 'admin-viewer-token',
    type: 'text',
    default: '',
    help: 'bearer token of the admin API and /metrics for those who look and change nothing; needs an admin-token beside it',
  },
  adminViewerTokenFile: {
    path: 'admin-viewer-token-file',
    type: 'file',
    help: 'file with that token, or several, as in admin-token-file',
    flag: 'FILE',
  },
  nodes: {
    path: 'nodes',
    type: 'own',
    schema: nodes,
    kind: 'list of nodes',
    default: '[]',
    help: 'the nodes of the first generation: name, address, weight (1 to 1000000), username, password or password-file, peer-address, tls and what belongs to it',
  },
  workers: {
    path: 'workers',
    type: 'own',
    schema: workers,
    kind: '1 to 64, or auto',
    default: '1',
    help: 'processes of the data plane, which share the clients; auto: one for each processor',
    flag: 'N',
  },
  stateDir: {
    path: 'state-dir',
    type: 'own',
    schema: z.string({ message: 'expected a text' }).prefault(''),
    kind: 'path',
    default: '',
    help: 'directory that keeps the ring, and values of replicated groups, over restarts; empty: they are forgotten',
    flag: 'DIR',
  },
  shutdownTimeout: {
    path: 'shutdown-timeout',
    type: 'duration',
    least: '0',
    most: '1h',
    default: '10s',
    help: 'most time for the answers in flight when the proxy is told to stop',
  },
  logLevel: {
    path: 'log-level',
    type: 'choice',
    values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
    help: 'least level that is logged, to standard error',
    flag: 'LEVEL',
  },
  logFormat: {
    path: 'log-format',
    type: 'choice',
    values: ['auto', 'json', 'pretty'],
    default: 'auto',
    help: 'auto: pretty on a terminal, otherwise JSON lines',
  },
} as const satisfies Readonly<Record<string, Setting>>;
