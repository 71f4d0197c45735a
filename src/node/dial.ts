/** Sockets to nodes: the one place where they are opened, and the dialer for all that is off the hot path. */
import net, { type OnReadOpts, type Socket } from 'node:net';
import { ReplyFramer } from '../resp/reply-framer.js';
import { monotonicNow } from '../time/monotonic.js';
import { type Address, parseNodeAddress } from './address.js';
import type { NodeEndpoint } from './endpoint.js';
import { type Failure, failure, hungUp, NodeFailure, systemFailure, timedOut } from './failure.js';
import { Handshake, type HandshakeOptions } from './handshake.js';
import { sharedLookup } from './lookup.js';
import { whyHungUp, whySilent } from './mute.js';
import type { Pass, Ruling } from './standing.js';
import { type NodeTls, onceOpen, openTlsSocket } from './tls.js';

/**
 * @throws NodeFailure when the node is followed and its master is not known
 * @throws RangeError when the node's address is none: those of members were looked at when they joined
 */
export function addressOf(node: Pick<NodeEndpoint, 'name' | 'address' | 'master'>): Address {
  const { name, address, master } = node;
  if (master?.address === null) throw new NodeFailure(node, failure('no-master', master.why));
  const text = master?.address ?? address;
  const parsed = parseNodeAddress(text);
  if (parsed === null) throw new RangeError(`the address of node ${name} is none: '${text}'`);
  return parsed;
}

/**
 * Begins to connect; `onceOpen` tells when it carries something. The name is looked up anew at every connection, so that
 * a node may move behind its name.
 * @param tls how TLS is spoken there; undefined: not at all
 * @param onread where chunks are read into and who takes them, instead of `data` events
 */
export function openSocket(address: Address, tls: NodeTls | undefined, onread?: OnReadOpts): Socket {
  const reading = onread === undefined ? {} : { onread };
  if ('path' in address) return net.connect({ path: address.path, ...reading });
  const target = { host: address.host, port: address.port, lookup: sharedLookup, ...reading };
  return tls === undefined ? net.connect({ ...target, noDelay: true }) : openTlsSocket(tls, target);
}

/** What the dialer's connections may differ in: all of them speak RESP2 and begin in database 0. */
export interface DialOptions extends Pick<HandshakeOptions, 'asks' | 'tolerates'> {
  readonly pass: Pass;
  /** Milliseconds to connect, as many to be greeted, and as many to learn whether this proxy may speak. */
  readonly timeout: number;
  /** Whether a server that is a replica is reached, too: one that is looked at, rather than used. */
  readonly toAnyRole?: boolean;
}

export interface Dialled {
  /** Is not read until somebody resumes it. */
  readonly socket: Socket;
  readonly connectionId: number;
  readonly runId: string;
  /**
   * By how much the node's clock is ahead of `monotonicNow`, in milliseconds; off by as much as the node took to answer; null: it does not say.
   * Not of the clock of the day: two nodes' offsets are compared, and that one may jump in between.
   */
  readonly clockOffset: number | null;
}

/** Connects to a node and logs in. @throws NodeFailure that says why it cannot */
export async function dial(node: NodeEndpoint, options: DialOptions): Promise<Dialled> {
  const { pass, timeout } = options;
  const address = addressOf(node);
  const socket = openSocket(address, node.tls);
  // Until whoever takes it over listens as well, an error must find somebody.
  socket.on('error', () => {});
  try {
    endWith(socket, pass.revoked);
    await connected(socket, timeout).catch(async (error: unknown) => {
      const isLate = error instanceof Stop && error.failure.kind === 'timeout';
      if (node.tls === undefined || !isLate || socket.connecting) throw error;
      throw new Stop((await whySilent(address, timeout)) ?? error.failure);
    });
    const { asks, tolerates } = options;
    const handshake = new Handshake({
      ...{ asks, tolerates, login: node, protocol: 2, database: 0 },
      connectionName: pass.name,
      role: node.master !== undefined && options.toAnyRole !== true ? 'master' : null,
    });
    const asked = monotonicNow();
    await greeted(socket, handshake, timeout).catch(async (error: unknown) => {
      if (!(error instanceof Stop) || !hungUp(error.failure) || handshake.hasAnswer) throw error;
      throw new Stop((await whyHungUp(address, node.tls, timeout)) ?? error.failure);
    });
    const { connectionId, runId, clock, isNamed } = handshake.greeted;
    if (pass.needsName && !isNamed) throw new Stop(failure('unnamed'));
    await permitted(pass, timeout);
    const clockOffset = clock === null ? null : clock - (asked + monotonicNow()) / 2;
    return { socket, connectionId, runId, clockOffset };
  } catch (error) {
    socket.destroy();
    throw error instanceof Stop ? new NodeFailure(node, error.failure) : error;
  }
}

/** How long after a look that told nothing the next one follows. Milliseconds. */
const LOOK_AGAIN_MS = 100;

/** The node knows the connection by its name: looks whether it may speak. @throws Stop when it may not, or not in time */
async function permitted(pass: Pass, timeout: number): Promise<void> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const ruling: Ruling = await pass.look();
    if (ruling === 'speak') return;
    if (ruling === 'fenced-off' || performance.now() >= deadline) throw new Stop(failure(ruling));
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

function endWith(socket: Socket, revoked: AbortSignal | null): void {
  if (revoked === null) return;
  const end = (): void => {
    socket.destroy();
  };
  revoked.addEventListener('abort', end);
  socket.once('close', () => revoked.removeEventListener('abort', end));
  if (revoked.aborted) end();
}

/** Carries a failure out of a callback. */
class Stop extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** Runs `begin` until it says that it is over, the socket fails, or the time is up. @throws Stop */
function until(
  socket: Socket,
  timeout: number,
  complaint: () => string,
  begin: (over: (found: Failure | null) => void) => () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => over(timedOut(timeout)), timeout);
    const onError = (error: NodeJS.ErrnoException): void => {
      const { kind, detail } = systemFailure(error);
      over(failure(kind, detail === '' ? complaint() : detail));
    };
    const onClose = (): void => over(failure('closed', complaint()));
    const over = (found: Failure | null): void => {
      clearTimeout(timer);
      socket.off('error', onError).off('close', onClose);
      end();
      if (found === null) resolve();
      else reject(new Stop(found));
    };
    socket.on('error', onError).on('close', onClose);
    const end = begin(over);
  });
}

function connected(socket: Socket, timeout: number): Promise<void> {
  return until(
    socket,
    timeout,
    () => '',
    (over) => onceOpen(socket, () => over(null)),
  );
}

/** First byte of what a server of TLS says to those who do not speak it, if it says anything. */
const TLS_ALERT = 0x15;

function greeted(socket: Socket, handshake: Handshake, timeout: number): Promise<void> {
  return until(
    socket,
    timeout,
    () => handshake.complaint,
    (over) => {
      const framer = new ReplyFramer();
      let pieces: Buffer[] = [];
      const onData = (chunk: Buffer): void => {
        let at = 0;
        while (at < chunk.length) {
          const end = framer.advance(chunk, at, chunk.length);
          if (end < 0) {
            over(failure(chunk[0] === TLS_ALERT && !handshake.hasAnswer ? 'tls-only' : 'protocol'));
            return;
          }
          pieces.push(chunk.subarray(at, end));
          at = end;
          if (!framer.complete) return;
          const whole = Buffer.concat(pieces);
          pieces = [];
          const outcome = handshake.onReply(whole, 0, whole.length);
          if (outcome === 'more') continue;
          over(outcome !== 'done' ? outcome : at === chunk.length ? null : failure('unasked'));
          return;
        }
      };
      socket.on('data', onData);
      socket.write(handshake.bytes);
      return () => {
        socket.off('data', onData);
        socket.pause();
      };
    },
  );
}
