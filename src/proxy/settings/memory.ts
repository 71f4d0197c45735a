/** What is remembered, and how much of it. */
import type { SettingRows } from './form.js';

export const MEMORY_SETTINGS = {
  scriptCache: {
    path: 'script-cache',
    type: 'size',
    least: '0',
    most: '16gb',
    default: '16mb',
    help: 'bytes of scripts that are remembered, to load them on nodes that do not know them',
  },
  trackingTableMaxKeys: {
    path: 'tracking-table-max-keys',
    type: 'count',
    least: 0,
    most: 100_000_000,
    default: 1_000_000,
    help: 'keys that are remembered for clients that cache (CLIENT TRACKING), in each process; 0: any number',
  },
  nearAuto: {
    path: 'near-auto',
    type: 'choice',
    values: ['off', 'on'],
    default: 'off',
    help: 'whether keys that are hot are kept near while they are, unless their group says how it is cached',
    flag: 'on|off',
  },
  replicatedMemory: {
    path: 'replicated-memory',
    type: 'size',
    least: '1mb',
    most: '16gb',
    default: '64mb',
    help: 'bytes of the values that every proxy has all of (groups with `cache: replicated`), in each process; beyond, writes are refused',
    flag: 'SIZE',
  },
  nearMemory: {
    path: 'near-memory',
    type: 'size',
    least: '1mb',
    most: '2gb',
    default: '64mb',
    help: 'bytes of replies that are kept for groups with `cache: near`, in each process',
  },
} as const satisfies SettingRows;
