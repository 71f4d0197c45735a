import type { ProxyStanding, Ruling } from '../../src/node/standing.js';
import type { PlaneStanding } from '../../src/plane/host.js';

/** A right to speak to nodes that is as a test says; at first that of a proxy that is alone. */
export class FakeStanding implements ProxyStanding, PlaneStanding {
  id: string;
  isLone = true;
  validUntil = Number.POSITIVE_INFINITY;
  /** What it was asked, in order. */
  readonly asked: string[] = [];
  #answers: ((ruling: Ruling) => void)[] = [];
  #revocation = new AbortController();

  constructor(id = 'f00d') {
    this.id = id;
  }

  get revoked(): AbortSignal {
    return this.#revocation.signal;
  }

  /** It is one of a fleet, and not certain of its right. */
  lapse(): void {
    this.isLone = false;
    this.validUntil = Number.NEGATIVE_INFINITY;
  }

  revoke(): void {
    this.#revocation.abort();
    this.lapse();
  }

  renew(id: string): void {
    this.id = id;
    this.#revocation = new AbortController();
    this.validUntil = Number.POSITIVE_INFINITY;
  }

  holds(id: string): boolean {
    return id === this.id && this.validUntil === Number.POSITIVE_INFINITY;
  }

  ask(id: string): Promise<Ruling> {
    this.asked.push(id);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  /** Answers all that was asked. */
  answer(ruling: Ruling): void {
    for (const resolve of this.#answers.splice(0)) resolve(ruling);
  }
}
