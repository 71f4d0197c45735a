import { randomBytes } from 'node:crypto';
import { readVersion } from './version.js';

/** Who this proxy is, from its start to its end. */
export interface ProxyIdentity {
  readonly proxyId: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export function newIdentity(): ProxyIdentity {
  return { proxyId: randomBytes(6).toString('hex'), version: readVersion(), startedAt: Date.now() };
}
