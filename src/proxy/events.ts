/**
 * The data plane's events, on `node:diagnostics_channel`: free while nobody listens. Logs, metrics and a
 * user's own instrumentation subscribe; the data plane knows none of them. What is said here of the channels
 * is public: extend, never rename.
 */
import { channel } from 'node:diagnostics_channel';
import type { HandshakeOutcome } from './measure/handshake-counts.js';

/** A node was reached, or stopped answering. */
export interface NodeConnectionEvent {
  node: string;
  address: string;
  /** Why the node is unreachable; empty when it is up. */
  error: string;
}

/** A node answers, and says that it cannot do what it is there for, or has not said so for a while. */
export interface NodeTroubleEvent {
  node: string;
  address: string;
  /** The error that it answers (`READONLY …`), or that it answers nothing (`UNANSWERED …`); empty when that is over. */
  reason: string;
  /** It lets connections in, and answers no command on them. */
  answersNothing: boolean;
}

/** A client was let in, left, or was cut. */
export interface ClientEvent {
  client: number;
  address: string;
  /** Why the proxy ended the connection; empty when the client did. */
  reason: string;
  /** Common name of the certificate that it has shown and that was checked; undefined: none. */
  certificate?: string;
}

/** TLS with a client did not begin. At most one event of each outcome a minute and process says so. */
export interface HandshakeFailedEvent {
  address: string;
  outcome: HandshakeOutcome;
  /** What the client did. */
  reason: string;
  /** How many such clients there were since the last such event, this one included. */
  clients: number;
  summary: string;
}

/** A client that looks like an attack was closed. At most one event a minute and process says so. */
export interface AttackEvent extends ClientEvent {
  /** How many such clients there were since the last event, this one included. */
  clients: number;
}

/** A client could not log in. At most one event in ten seconds and process says so. */
export interface AuthFailureEvent {
  client: number;
  address: string;
  /** `too-many`: it was not looked at, since too many passwords were tried from this address. */
  reason: 'unknown-user' | 'user-off' | 'wrong-password' | 'too-many';
  /** How many attempts have failed since the last event, this one included. */
  failures: number;
}

/** Somebody held up the fence of a ring change for too long, and was ended. */
export interface FenceForcedEvent {
  /** 0: of another process. */
  client: number;
  address: string;
  /** By CLIENT SETNAME; empty: none. */
  name: string;
  command: string;
  node: string;
  /** `closed`: the client did not read, or did not send; `script ended`: the node was told to end its script. */
  done: 'closed' | 'script ended';
  summary: string;
}

/** Those that a worker process passes on to its primary. */
export const FORWARDED_CHANNELS: readonly string[] = [
  'ringproxy:upstream:up',
  'ringproxy:upstream:down',
  'ringproxy:upstream:impaired',
  'ringproxy:upstream:recovered',
  'ringproxy:client:connected',
  'ringproxy:client:closed',
  'ringproxy:client:rejected',
  'ringproxy:client:attack',
  'ringproxy:client:auth-failed',
  'ringproxy:tls:handshake-failed',
  'ringproxy:fence:forced',
];

/** A command was answered, by a node or by the proxy itself. There is one for every command. */
export interface CommandEvent {
  /** In lower case; `unknown` when it is none. */
  command: string;
  /** From the whole command to its whole reply; as fine as the chunks in which data comes. */
  seconds: number;
  /** Whether the reply is an error. */
  failed: boolean;
}

/** A command was answered with an error, by a node or by the proxy itself. */
export interface CommandFailedEvent {
  client: number;
  address: string;
  command: string;
  /** The error without its dash, shortened; its first word is the code. */
  error: string;
}

/** A command waited for the ring, and does not any more. */
export interface HoldEvent {
  client: number;
  address: string;
  command: string;
  /** `fence`: until no command on a moved key was in flight; `settle`: until its key had arrived. */
  reason: 'fence' | 'settle';
  seconds: number;
  /** `gave-up`: it was answered -TRYAGAIN, since it had waited for as long as a request may take. */
  outcome: 'ran' | 'gave-up';
}

export const nodeUp = channel('ringproxy:upstream:up');
export const nodeDown = channel('ringproxy:upstream:down');
export const nodeImpaired = channel('ringproxy:upstream:impaired');
export const nodeRecovered = channel('ringproxy:upstream:recovered');
export const clientConnected = channel('ringproxy:client:connected');
export const clientClosed = channel('ringproxy:client:closed');
export const clientRejected = channel('ringproxy:client:rejected');
export const clientAttack = channel('ringproxy:client:attack');
export const authFailed = channel('ringproxy:client:auth-failed');
export const handshakeFailed = channel('ringproxy:tls:handshake-failed');
export const fenceForced = channel('ringproxy:fence:forced');
export const commandAnswered = channel('ringproxy:command:answered');
export const commandFailed = channel('ringproxy:command:failed');
export const holdEnded = channel('ringproxy:command:held');
