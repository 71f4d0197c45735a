import type { Request } from './request.js';

/** Who looks at the reply to a client's read before it leaves, since it may say that keys are not there. */
export interface MissTaker {
  /** @returns whether the reply `buffer[start, end)` does not leave: then the request is answered later */
  keeps(request: Request, buffer: Buffer, start: number, end: number): boolean;
  /** Whether the read asks for this key. */
  asksFor(key: Buffer, database: number): boolean;
}
