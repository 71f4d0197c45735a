import { randomBytes } from 'node:crypto';
import { readVersion } from './version.js';

/** Who this proxy is. */
export interface ProxyIdentity {
  /** Another one once it was fenced off, and has registered anew: to be read when it is needed. */
  readonly proxyId: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export class OwnIdentity implements ProxyIdentity {
  readonly version = readVersion();
  readonly startedAt = Date.now();
  #proxyId = randomBytes(6).toString('hex');

  get proxyId(): string {
    return this.#proxyId;
  }

  /** It goes on as another member. @param id of one that it has been before; otherwise one that nobody has had */
  become(id: string = randomBytes(6).toString('hex')): void {
    this.#proxyId = id;
  }
}
