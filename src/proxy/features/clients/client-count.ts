/**
 * How many clients the proxy has, for INFO. What other processes report from time to time is a moment old: so they are
 * asked, and whoever connected before INFO was sent is counted.
 */

import type { ClientCount } from '../../peers/clients.js';
import type { PeerAnswer, Peers } from '../../peers/peers.js';
import { AnswersFirst } from '../../session/answers-first.js';
import type { ClientConnection } from '../../session/client-connection.js';

/** What the clients are counted by. */
export interface CountPorts {
  /** How many clients this process has, and how many of their commands wait here. */
  own(): ClientCount;
  /** Clients of all processes, as far as it is known how many others have. */
  all(): number;
  /** Null: the proxy has no other processes. */
  readonly peers: Peers | null;
}

/** What the other processes have answered for a client whose INFO has not been sent yet. */
const answered = new AnswersFirst();

/** Those of all processes. @returns null while the others are asked: the command of `client` is then offered again */
export function countAll(ports: CountPorts, client: ClientConnection): ClientCount | null {
  const own = ports.own();
  const { peers } = ports;
  if (peers === null) return own;
  const answers = answered.of(client, () => peers.ask({ type: 'count' }));
  if (answers === null) return null;
  const all = answers.map(countIn).reduce<ClientCount>(add, own);
  // Of a process that does not answer it is known how many it had.
  if (!answers.includes(null)) return all;
  return { ...all, connected: Math.max(all.connected, ports.all()) };
}

/** INFO is on its way: the next one asks anew. */
export function forgetCount(client: ClientConnection): void {
  answered.forget(client);
}

function countIn(answer: PeerAnswer | null): ClientCount {
  if (answer !== null && typeof answer === 'object' && 'count' in answer) return answer.count;
  return { connected: 0, blocked: 0 };
}

function add(a: ClientCount, b: ClientCount): ClientCount {
  return { connected: a.connected + b.connected, blocked: a.blocked + b.blocked };
}
