/** The certificates that callers of the admin API show, where they are asked for (`admin-tls-client-auth`). */
import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import { RingproxyError } from '../../errors.js';
import { certificateName, hasCertificate, whyRefused } from '../../tls/shown-certificate.js';

/** Whether callers must show one; with `optional`, one that is shown must be good nevertheless. */
export type CallerAuth = 'none' | 'optional' | 'required';

interface Shown {
  /** Common name; null: it shows none, or one without. */
  readonly name: string | null;
  readonly refusal: RingproxyError | null;
}

export class CallerCertificates {
  readonly #auth: CallerAuth;
  /** A certificate is of a connection, and looked at once. */
  readonly #shown = new WeakMap<object, Shown>();

  constructor(auth: CallerAuth) {
    this.#auth = auth;
  }

  /** @returns the common name; null: none was asked for or shown, or it has none @throws RingproxyError when it will not do */
  nameOf(request: FastifyRequest): string | null {
    const { socket } = request.raw;
    if (this.#auth === 'none' || !(socket instanceof TLSSocket)) return null;
    let shown = this.#shown.get(socket);
    if (shown === undefined) {
      shown = { name: certificateName(socket), refusal: this.#refusal(socket) };
      this.#shown.set(socket, shown);
    }
    if (shown.refusal !== null) throw shown.refusal;
    return shown.name;
  }

  #refusal(socket: TLSSocket): RingproxyError | null {
    if (!hasCertificate(socket)) {
      if (this.#auth === 'optional') return null;
      return new RingproxyError('NO_CERTIFICATE', 'the admin API asks for a certificate of whoever calls it');
    }
    if (socket.authorized) return null;
    const why = whyRefused(socket, 'admin-tls-ca');
    return new RingproxyError('BAD_CERTIFICATE', `the certificate that was shown ${why}`);
  }
}
