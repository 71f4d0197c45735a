/**
 * Why a node has said nothing that can be understood. A server of TLS hangs up on whom it does not understand, and Redis
 * without TLS waits for the end of what it takes for a command; a server that does not take this side's certificate says
 * so, but what was sent meanwhile may cost its words. So another connection is made to find out which it was.
 */
import { once } from 'node:events';
import net from 'node:net';
import type { Address } from './address.js';
import { type Failure, failure } from './failure.js';
import { sharedLookup } from './lookup.js';
import { type NodeTls, onceOpen, openTlsSocket, trustingAnybody } from './tls.js';
import { tlsFailure } from './tls-failure.js';

/** How long it is listened at most. Milliseconds. */
const LISTENS_MS = 500;
/** What every Redis answers, whoever asks. */
const PING = 'PING\r\n';

/**
 * It has ended the connection before it had answered anything.
 * @param tls as it was spoken; undefined: it was not
 * @param timeout milliseconds
 * @returns null: it is not known
 */
export async function whyHungUp(address: Address, tls: NodeTls | undefined, timeout: number): Promise<Failure | null> {
  if ('path' in address) return null;
  const socket = openTlsSocket(tls ?? trustingAnybody(), { ...address, lookup: sharedLookup });
  const signal = AbortSignal.timeout(Math.min(timeout, LISTENS_MS));
  try {
    await once(socket, 'secureConnect', { signal });
    if (tls === undefined) return failure('tls-only');
    // Nothing is said: what the node says against the certificate comes through.
    socket.resume();
    await once(socket, 'close', { signal });
    return null;
  } catch (error) {
    const found = signal.aborted || !(error instanceof Error) ? null : tlsFailure(error);
    if (tls !== undefined || found === null) return found;
    // Whatever it has said, it was by TLS.
    return found.kind === 'no-tls' ? null : failure('tls-only');
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}

/**
 * It was spoken to by TLS, and has not answered in time.
 * @returns null: it does not answer without TLS either
 */
export async function whySilent(address: Address, timeout: number): Promise<Failure | null> {
  if ('path' in address) return null;
  const socket = net.connect({ ...address, lookup: sharedLookup });
  const signal = AbortSignal.timeout(Math.min(timeout, LISTENS_MS));
  try {
    onceOpen(socket, () => socket.write(PING));
    const [chunk]: unknown[] = await once(socket, 'data', { signal });
    return Buffer.isBuffer(chunk) && (chunk[0] === 0x2b || chunk[0] === 0x2d) ? failure('no-tls') : null;
  } catch {
    return null;
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}
