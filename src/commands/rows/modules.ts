/** Modules' commands, of which the proxy knows more than the nodes say. */
import type { PolicyRows } from './row.js';

export const MODULES = {
  'json.get': { cacheRead: 'key' },
} as const satisfies PolicyRows;
