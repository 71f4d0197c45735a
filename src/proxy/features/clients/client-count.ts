/**
 * How many clients the proxy has, for INFO. What other processes report from time to time is a moment old: so they are
 * asked, and whoever connected before INFO was sent is counted.
 */

import { AnswersFirst } from '../../peers/answers-first.js';
import type { PeerAnswer } from '../../peers/peers.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Features } from '../compose.js';

export interface ClientCount {
  readonly connected: number;
  /** Those whose command waits for the end of CLIENT PAUSE. */
  readonly paused: number;
}

/** What the other processes have answered for a client whose INFO has not been sent yet. */
const answered = new AnswersFirst();

/** Those of this process. */
export function countOwn({ context, pause }: Features): ClientCount {
  return { connected: context.shared.clients.size, paused: pause.waiting };
}

/** Those of all processes. @returns null while the others are asked: the command of `client` is then offered again */
export function countAll(features: Features, client: ClientConnection): ClientCount | null {
  const own = countOwn(features);
  const { peers } = features.context;
  if (peers === null) return own;
  const answers = answered.of(client, () => peers.ask({ type: 'count' }));
  if (answers === null) return null;
  const all = answers.map(countIn).reduce<ClientCount>(add, own);
  // Of a process that does not answer it is known how many it had.
  if (!answers.includes(null)) return all;
  return { ...all, connected: Math.max(all.connected, features.context.allClients()) };
}

/** INFO is on its way: the next one asks anew. */
export function forgetCount(client: ClientConnection): void {
  answered.forget(client);
}

function countIn(answer: PeerAnswer | null): ClientCount {
  if (answer !== null && typeof answer === 'object' && 'count' in answer) return answer.count;
  return { connected: 0, paused: 0 };
}

function add(a: ClientCount, b: ClientCount): ClientCount {
  return { connected: a.connected + b.connected, paused: a.paused + b.paused };
}
