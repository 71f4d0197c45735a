/** Values and keys, and what holds for all connections. */
import type { SettingRows } from './form.js';

export const VALUE_SETTINGS = {
  maxBulkLength: {
    path: 'max-bulk-length',
    type: 'size',
    least: '1kb',
    most: '512mb',
    default: '512mb',
    help: 'longest argument of a command',
  },
  streamThreshold: {
    path: 'stream-threshold',
    type: 'size',
    least: '16kb',
    most: '1gb',
    default: '256kb',
    help: 'values from this size on are passed on as they come instead of being gathered',
  },
  databases: {
    path: 'databases',
    type: 'count',
    least: 1,
    most: 1024,
    default: 16,
    help: 'databases that SELECT offers; the nodes must have as many',
  },
  tcpKeepalive: {
    path: 'tcp-keepalive',
    type: 'duration',
    least: '1s',
    most: '24h',
    default: '1m',
    help: 'idle time after which TCP asks whether the other side is still there',
  },
  keyGroups: {
    path: 'key-groups',
    type: 'key groups',
    help: 'groups of keys by their prefixes, at most 32: commands, hits, misses and latency are counted apart; in the file also how each is cached',
    flag: 'GROUP=PREFIX[,PREFIX]',
  },
} as const satisfies SettingRows;
