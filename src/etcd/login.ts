/**
 * The token that etcd gives for a user and its password. It ends at each member by itself, and with each restart: who is
 * told that a token is unknown asks for another one.
 */
import { isLoginOff } from './failure.js';
import type { Outcome } from './http.js';

export interface EtcdLogin {
  readonly user: string;
  readonly password: string;
}

export class Login {
  readonly #login: EtcdLogin | null;
  readonly #ask: (login: EtcdLogin) => Promise<Outcome<{ readonly token: string }>>;
  #token: string | null = null;
  /** Passwords are dear to check: whoever needs a token meanwhile waits for this one. */
  #asking: Promise<Outcome<string | null>> | null = null;

  /** @param ask asks the endpoint of the moment */
  constructor(login: EtcdLogin | null, ask: (login: EtcdLogin) => Promise<Outcome<{ readonly token: string }>>) {
    this.#login = login;
    this.#ask = ask;
  }

  get isNeeded(): boolean {
    return this.#login !== null;
  }

  /** @returns the token; null: none is needed */
  async token(): Promise<Outcome<string | null>> {
    if (this.#login === null || this.#token !== null) return { answer: this.#token };
    this.#asking ??= this.#renew(this.#login).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** It is unknown to an endpoint, or may be. */
  forget(): void {
    this.#token = null;
  }

  async #renew(login: EtcdLogin): Promise<Outcome<string | null>> {
    const outcome = await this.#ask(login);
    if ('failure' in outcome) {
      // The user is there for when it is enabled.
      if (isLoginOff(outcome.failure)) return { answer: null };
      return outcome;
    }
    this.#token = outcome.answer.token;
    return { answer: this.#token };
  }
}
