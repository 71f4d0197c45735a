/** What processes of the proxy tell each other of their clients. */
import type { PeerAnswer } from './peers.js';

export type ClientType = 'normal' | 'pubsub' | 'master' | 'replica';

/** Which clients CLIENT LIST and CLIENT KILL mean. Every field that is there must fit. */
export interface ClientFilter {
  readonly ids?: readonly number[];
  readonly address?: string;
  readonly localAddress?: string;
  readonly type?: ClientType;
  /** The name of its user. */
  readonly user?: string;
  /** This one is not meant. */
  readonly except?: number;
}

/** A client as CLIENT LIST has it. */
export interface ClientLine {
  readonly id: number;
  readonly text: string;
}

export interface ClientCount {
  readonly connected: number;
  /** Those whose command waits here, and at no node: for the end of CLIENT PAUSE, or for one of several nodes' keys. */
  readonly blocked: number;
}

/** The clients that another process has named. */
export function linesIn(answer: PeerAnswer | null): readonly ClientLine[] {
  return answer !== null && typeof answer === 'object' && 'lines' in answer ? answer.lines : [];
}
