import type { Socket } from 'node:net';
import type { FromWorker, ToWorker } from '../messages.js';

/** A client that is handed over: its number, whether it begins with TLS, and by what address it is counted. */
export type GivenClient = Omit<ToWorker<'client'>, 'type'>;

/** The way from the primary to one worker process. Messages arrive in the order in which they were sent. */
export interface WorkerChannel {
  /** The process' id; -1 when it could not be started. */
  readonly pid: number;
  /** To a process that has ended nothing is sent. @param onSent called when the message is on its way */
  send(message: ToWorker, onSent?: () => void): void;
  /** Hands over a client's socket, which stays open here as well. */
  give(client: GivenClient, socket: Socket): void;
  kill(signal: NodeJS.Signals): void;
}

/** What comes by it from the worker. */
export interface ChannelEvents {
  onMessage(message: FromWorker): void;
  /** The process has ended: the last event. @param how its exit code or signal, for people */
  onExit(how: string): void;
}

/** Starts a worker process. @param board the file of the subscription board, which it inherits; null: there is none */
export type OpenChannel = (board: number | null, events: ChannelEvents) => WorkerChannel;
