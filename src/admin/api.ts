/** The JSON of the admin HTTP API, by what it tells of. Field names are part of the public contract: extend, never rename. */
export type * from './api/advice.js';
export type * from './api/callers.js';
export type * from './api/changes.js';
export type * from './api/errors.js';
export type * from './api/groups.js';
export type * from './api/hot-keys.js';
export type * from './api/load.js';
export type * from './api/nodes.js';
export type * from './api/process.js';
export type * from './api/proxies.js';
export type * from './api/ring.js';
export type * from './api/ring-phase.js';
export type * from './api/stats.js';
export type * from './api/strays.js';
