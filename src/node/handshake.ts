/**
 * The one handshake with a node: what goes out on a new connection before it carries anything, and what the answers
 * come to. Whoever has the socket hands in the answers; nothing here waits or does I/O.
 */
import { decodeReply, type ReplyValue } from '../resp/decode.js';
import { request } from '../resp/encode.js';
import { parseIntegerLine } from '../resp/reply-framer.js';
import { readRunId } from '../resp/run-id.js';
import type { Login } from './endpoint.js';
import { type Failure, failure } from './failure.js';
import { isForbidden, passesByItself, turnsAway, wantsLogin } from './reply-errors.js';

/** What can be asked while a node greets: see `Greeted`. */
export type Question = 'id' | 'process' | 'peer' | 'clock';

/** What a node has said of itself and of the connection, as far as it was asked and may be. */
export interface Greeted {
  /** The node's number of the connection (CLIENT ID), or -1. */
  connectionId: number;
  /** Tells the server process from one that was started later (INFO's run_id), or empty. */
  runId: string;
  /** The proxy's end of the connection as the node sees it, or empty. */
  peer: string;
  /** The node's clock, in milliseconds since 1970, or null. */
  clock: number | null;
  /** The node has taken the connection's name. */
  isNamed: boolean;
}

/** A command behind the handshake, whose answer may be an error. */
export interface LastStep {
  readonly words: readonly string[];
  /** Called when the node has done it. */
  readonly done: () => void;
}

export interface HandshakeOptions {
  readonly login: Login;
  /** Name of the connection at the node: it tells an operator, and a fence, whose it is. */
  readonly connectionName: string;
  readonly protocol: 2 | 3;
  readonly database: number;
  readonly asks: readonly Question[];
  readonly last?: readonly LastStep[];
  /** A server that says of itself that it is something else is not the one that is meant; null: whatever it is. */
  readonly role?: 'master' | 'replica' | null | undefined;
  /**
   * Which errors are let pass where a node is only asked to be so kind, as to take a name: any but that it wants a
   * login; or only that the user may not ask for it, where the answer matters.
   */
  readonly tolerates: 'any error' | 'lacking rights';
}

interface Step {
  readonly label: string;
  readonly role: 'login' | 'protocol' | 'database' | 'courtesy';
  readonly frame: Uint8Array;
  /** Takes the answer, `buffer[start, end)`, unless it is an error. @returns why the connection is of no use, or null */
  readonly take: (buffer: Buffer, start: number, end: number) => Failure | null;
}

const ERROR_BYTE = 0x2d;
const NOTHING = (): null => null;

export class Handshake {
  /** What the node is sent, in one piece. */
  readonly bytes: Buffer;
  readonly greeted: Greeted = { connectionId: -1, runId: '', peer: '', clock: null, isNamed: false };
  /** What the node has last said against a courtesy, or empty: when it closes the connection then, that is why. */
  complaint = '';
  readonly #steps: readonly Step[];
  readonly #tolerates: HandshakeOptions['tolerates'];
  #answered = 0;

  constructor(options: HandshakeOptions) {
    const { login, connectionName, protocol, database, asks, last = [], tolerates, role = null } = options;
    this.#tolerates = tolerates;
    this.#steps = [
      ...loginSteps(login),
      ...(protocol === 3 ? [step('HELLO 3', 'protocol', ['HELLO', '3'])] : []),
      step('CLIENT SETNAME', 'courtesy', ['CLIENT', 'SETNAME', connectionName], () => {
        this.greeted.isNamed = true;
        return null;
      }),
      ...(role === null ? [] : [step('ROLE', 'courtesy', ['ROLE'], refuseUnless(role))]),
      ...(database === 0 ? [] : [step(`SELECT ${database}`, 'database', ['SELECT', String(database)])]),
      ...asks.map((question) => ask(question, this.greeted)),
      ...last.map(({ words, done }) =>
        step(words.join(' '), 'courtesy', words, () => {
          done();
          return null;
        }),
      ),
    ];
    this.bytes = Buffer.concat(this.#steps.map(({ frame }) => frame));
  }

  /** The node has answered something. */
  get hasAnswer(): boolean {
    return this.#answered > 0;
  }

  /** Takes the node's next answer, `buffer[start, end)`. @returns why the connection is of no use, in case it is */
  onReply(buffer: Buffer, start: number, end: number): 'more' | 'done' | Failure {
    const step = this.#steps[this.#answered];
    if (step === undefined) return failure('unasked');
    if (buffer[start] === ERROR_BYTE) {
      const text = buffer.toString('latin1', start + 1, end - 2);
      const found = this.#judge(step, text);
      if (found !== null) return found;
      this.complaint = text;
    } else {
      const found = step.take(buffer, start, end);
      if (found !== null) return found;
    }
    this.#answered++;
    return this.#answered === this.#steps.length ? 'done' : 'more';
  }

  /** @returns null when the connection can do without what the node has refused */
  #judge({ role, label }: Step, text: string): Failure | null {
    // It is the answer to none of the steps.
    if (turnsAway(text)) return failure('turned-away', text);
    if (role === 'login' || wantsLogin(text)) return failure('auth', text, label);
    if (role === 'database') return failure('database', text, label);
    if (role === 'courtesy' && (this.#tolerates === 'any error' || isForbidden(text))) return null;
    return failure(passesByItself(text) ? 'busy' : 'greeting', text, label);
  }
}

function step(label: string, role: Step['role'], words: readonly string[], take: Step['take'] = NOTHING): Step {
  return { label, role, frame: request(words), take };
}

function loginSteps({ username, password }: Login): Step[] {
  if (password === '') return [];
  return [step('AUTH', 'login', username === '' ? ['AUTH', password] : ['AUTH', username, password])];
}

/** A Redis without these commands, or a user without the right to them, may refuse what is a courtesy. */
function ask(question: Question, greeted: Greeted): Step {
  switch (question) {
    case 'id':
      return step('CLIENT ID', 'courtesy', ['CLIENT', 'ID'], (buffer, start, end) => {
        greeted.connectionId = parseIntegerLine(buffer, start, end);
        return null;
      });
    case 'process':
      return step('INFO', 'courtesy', ['INFO', 'server'], (buffer, start, end) => {
        greeted.runId = readRunId(buffer.toString('latin1', start, end));
        return null;
      });
    case 'peer':
      return step('CLIENT INFO', 'courtesy', ['CLIENT', 'INFO'], (buffer, start, end) => {
        greeted.peer = / addr=(\S+)/.exec(buffer.toString('latin1', start, end))?.[1] ?? '';
        return null;
      });
    case 'clock':
      return step('TIME', 'courtesy', ['TIME'], (buffer, start) => {
        greeted.clock = millisecondsOf(decodeReply(buffer, start)?.value ?? null);
        return null;
      });
  }
}

/** Takes the reply to ROLE. */
function refuseUnless(wanted: 'master' | 'replica'): Step['take'] {
  const other = wanted === 'master' ? 'slave' : 'master';
  return (buffer, start) => {
    const role = decodeReply(buffer, start)?.value ?? null;
    return Array.isArray(role) && String(role[0]) === other ? failure(`not-${wanted}`) : null;
  };
}

/** @param time the reply to TIME: seconds and microseconds */
function millisecondsOf(time: ReplyValue): number | null {
  if (!Array.isArray(time)) return null;
  const [seconds, microseconds] = time.map((part) => Number(String(part)));
  return (seconds ?? 0) * 1000 + (microseconds ?? 0) / 1000;
}
