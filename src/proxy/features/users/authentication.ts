/**
 * Bounds how fast passwords can be guessed from one address. What counts is a guess: a password that was not tried from
 * there lately. So a program with a wrong password that tries again and again keeps nobody else behind its address out,
 * and nobody is kept out for longer than until the next guess is free.
 *
 *   30 guesses at once, then one a second; beyond, an attempt is answered with an error without a look at it
 *
 * A process has its own table: with several workers an address has as many guesses as there are workers.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Bucket } from '../../../time/bucket.js';
import { type AuthFailureEvent, authFailed } from '../../events.js';
import type { Counters } from '../../measure/counters.js';
import { LATER } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { peerKey } from '../../session/limits/address-key.js';
import { type ClientLimits, LIMITED_MEANWHILE, TOO_MANY_OF_USER } from '../../session/limits/client-limits.js';
import type { Login, LoginFailure, Users } from '../../users/users.js';
import type { AclLog } from './acl-log.js';

/** Why a login failed; `too-many`: it was not looked at. */
export type AuthFailure = LoginFailure | 'too-many';

/** Addresses that are remembered; the one that has failed least lately is forgotten first. */
const MOST_ADDRESSES = 4096;
/** So many at once, and then one a second. */
const GUESSES = 30;
const GUESSES_PER_SECOND = 1;
/** Failed attempts of an address that cost no guess when they come again. */
const MOST_KNOWN = 8;
/** Between two events of the same process. */
const QUIET_MS = 10_000;

interface Address {
  readonly guesses: Bucket;
  /** The latest failed attempts. */
  readonly known: string[];
}

/** Of this process: what is kept of an attempt is of use nowhere else. */
const SALT = randomBytes(16);
const WRONG = 'WRONGPASS invalid username-password pair or user is disabled.';
const TOO_MANY = 'WRONGPASS too many failed attempts from this address: try again in a second';

/** The error that a client is answered; null: it is logged in; `LATER`: the command is to be handled again. */
export type LoginAnswer = string | null | typeof LATER;

const ADMISSIONS = { full: TOO_MANY_OF_USER, asked: LATER, unreserved: LIMITED_MEANWHILE } as const;

export interface AuthPorts {
  readonly users: Users;
  readonly log: AclLog;
  readonly counters: Counters;
  /** How many clients a user may have. */
  readonly limits: ClientLimits;
  readonly now: () => number;
}

export class Authentication {
  readonly #ports: AuthPorts;
  /** In the order of the last failure. */
  readonly #addresses = new Map<string, Address>();
  #toldAt = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(ports: AuthPorts) {
    this.#ports = ports;
  }

  /**
   * Logs the client in.
   * @param isInside whether it is in a transaction
   * @returns the error that it is answered; null: it has become the user; LATER: the command is to be handled again
   */
  logIn(client: ClientConnection, name: string, password: Uint8Array, isInside: boolean): LoginAnswer {
    const { log, limits } = this.#ports;
    const outcome = this.#look(client, name, password);
    if (typeof outcome !== 'string') {
      const admission = limits.admit(client, name);
      if (admission !== 'in') return ADMISSIONS[admission];
      client.logIn(outcome);
      return null;
    }
    this.#tell(client, outcome);
    if (outcome === 'too-many') return TOO_MANY;
    log.add(client, 'auth', isInside ? 'multi' : 'toplevel', 'AUTH', outcome === 'unknown-user' ? '(unknown)' : name);
    return WRONG;
  }

  /** Whether the client could become the user now. A wrong password counts as a guess, and is told when it is tried. */
  mayLogIn(client: ClientConnection, name: string, password: Uint8Array): boolean {
    return typeof this.#look(client, name, password) !== 'string';
  }

  /** Every password that is looked at is looked at here. @returns the user; or why not */
  #look(client: ClientConnection, name: string, password: Uint8Array): Login | AuthFailure {
    const address = peerKey(client.address);
    const known = address === null ? undefined : this.#addresses.get(address);
    const outcome = this.#ports.users.logIn(name, password);
    if (known === undefined && typeof outcome !== 'string') return outcome;
    const attempt = attemptOf(name, password);
    if (known !== undefined && guessesLeft(known, this.#ports.now()) < 1 && !known.known.includes(attempt)) {
      return 'too-many';
    }
    if (typeof outcome === 'string' && address !== null) this.#note(address, attempt);
    return outcome;
  }

  #note(address: string, attempt: string): void {
    const found = this.#addresses.get(address) ?? { guesses: new Bucket(GUESSES, this.#ports.now()), known: [] };
    this.#addresses.delete(address);
    this.#addresses.set(address, found);
    if (this.#addresses.size > MOST_ADDRESSES) {
      for (const oldest of this.#addresses.keys()) {
        this.#addresses.delete(oldest);
        break;
      }
    }
    if (found.known.includes(attempt)) return;
    found.guesses.take(1);
    found.known.push(attempt);
    if (found.known.length > MOST_KNOWN) found.known.shift();
  }

  #tell(client: ClientConnection, reason: AuthFailure): void {
    const { counters, now } = this.#ports;
    counters.authFailures[reason]++;
    this.#untold++;
    if (now() - this.#toldAt < QUIET_MS || !authFailed.hasSubscribers) return;
    const event: AuthFailureEvent = { client: client.id, address: client.address, reason, failures: this.#untold };
    this.#toldAt = now();
    this.#untold = 0;
    authFailed.publish(event);
  }
}

/** Tells attempts apart, without keeping a password. */
function attemptOf(name: string, password: Uint8Array): string {
  return createHash('sha256').update(SALT).update(name).update('\n').update(password).digest('base64');
}

function guessesLeft({ guesses }: Address, now: number): number {
  return guesses.level(GUESSES, GUESSES_PER_SECOND, now);
}
