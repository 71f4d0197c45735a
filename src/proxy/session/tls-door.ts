/**
 * Where clients come in by TLS: takes accepted sockets, and hands on those whose handshake is done. What is behind it
 * reads and writes them as any other socket.
 *
 *   accepted socket → handshake (bounded in time and number) → certificate of the client, where one is asked for → client
 *
 * No session is resumed, and nothing negotiated anew: each connection is checked by the certificates that are in force
 * when it begins, and goes on with them when there are others.
 */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import { secureOptions, type TlsMaterial } from '../../tls/material.js';
import { hasCertificate, whyRefused } from '../../tls/shown-certificate.js';
import type { HandshakeOutcome } from '../measure/handshake-counts.js';
import type { TlsDoorOptions } from '../options.js';
import type { Handshakes } from './handshakes.js';

/** At once in a process; a handshake takes about 50 KB. */
const MOST_HANDSHAKES = 1024;
/** Where there are as many, one that has taken so long makes room for others. Milliseconds. */
const PATIENCE_MS = 1000;

/** Who takes the clients. */
export interface DoorOwner {
  /** @param id as it was given to `enter` */
  admit(socket: TLSSocket, id: number): void;
  /** Whose certificate is not what is asked for: to be told so, by TLS, and closed. @param why an error reply */
  turnAway(socket: TLSSocket, why: string): void;
  readonly handshakes: Handshakes;
}

interface Entering {
  readonly id: number;
  readonly raw: Socket;
  readonly address: string;
  /** By the process' clock, in milliseconds. */
  readonly since: number;
  outcome: HandshakeOutcome;
  why: string;
}

interface Named {
  readonly certificate: X509Certificate;
  readonly context: SecureContext;
}

const DENIED_NONE =
  '-DENIED the proxy lets in only clients that show a certificate (tls-client-auth required): give one that an authority of its tls-ca has signed, with its private key\r\n';

export class TlsDoor {
  readonly #options: TlsDoorOptions;
  readonly #owner: DoorOwner;
  readonly #server: Server;
  /** Those whose handshake is under way, the oldest first, by the four parts of their connection's address. */
  readonly #entering = new Map<string, Entering>();
  /** Beside the first one, for those who ask for a name that it has not. */
  #named: readonly Named[] = [];
  #first: X509Certificate | null = null;

  constructor(options: TlsDoorOptions, owner: DoorOwner) {
    this.#options = options;
    this.#owner = owner;
    const asks = options.clientAuth !== 'none';
    this.#server = createServer({
      handshakeTimeout: options.handshakeTimeout,
      requestCert: asks,
      // Whoever is refused is told why, which takes a connection.
      rejectUnauthorized: false,
      SNICallback: (name, callback) => callback(null, this.#contextFor(name)),
    });
    this.#server.on('secureConnection', (socket) => this.#onSecure(socket));
    this.#server.on('tlsClientError', (error, socket) => this.#onFailure(error, socket));
    this.use(options.certificates);
  }

  /** Handshakes that are under way. */
  get entering(): number {
    return this.#entering.size;
  }

  /** Who comes from now on is shown these. @param certificates what is shown unless another one's name is asked for, first */
  use([first, ...further]: readonly TlsMaterial[]): void {
    if (first === undefined) return;
    const { rules } = this.#options;
    // All of them are made before one is in force.
    const named = further.map((material) => ({
      certificate: new X509Certificate(material.cert),
      context: createSecureContext(secureOptions(material, rules)),
    }));
    this.#server.setSecureContext(secureOptions(first, rules));
    this.#first = new X509Certificate(first.cert);
    this.#named = named;
  }

  /** Takes an accepted socket that was not read yet. @param id for whoever admits it */
  enter(raw: Socket, id: number): void {
    const key = keyOf(raw);
    // It has left already.
    if (key === null || raw.destroyed) {
      raw.destroy();
      return;
    }
    if (this.#entering.size >= MOST_HANDSHAKES && !this.#makeRoom()) {
      this.#owner.handshakes.failed(
        'crowded',
        addressOf(raw),
        `came while ${MOST_HANDSHAKES} handshakes were under way`,
      );
      raw.destroy();
      return;
    }
    const entering: Entering = {
      ...{ id, raw, address: addressOf(raw), since: performance.now() },
      ...{ outcome: 'left', why: 'went away in the middle of the handshake' },
    };
    this.#entering.set(key, entering);
    raw.on('error', () => {});
    raw.once('close', () => {
      if (this.#entering.get(key) !== entering) return;
      this.#entering.delete(key);
      this.#owner.handshakes.failed(entering.outcome, entering.address, entering.why);
    });
    // Who sends its end in the middle of a handshake is gone; behind that it is for the client's connection to say.
    raw.allowHalfOpen = false;
    this.#server.emit('connection', raw);
  }

  /** Ends what is under way. */
  close(): void {
    for (const { raw } of [...this.#entering.values()]) raw.destroy();
  }

  #contextFor(name: string): SecureContext | undefined {
    if (this.#first?.checkHost(name) !== undefined) return undefined;
    return this.#named.find(({ certificate }) => certificate.checkHost(name) !== undefined)?.context;
  }

  #makeRoom(): boolean {
    const [oldest] = this.#entering.values();
    if (oldest === undefined || performance.now() - oldest.since < PATIENCE_MS) return false;
    oldest.outcome = 'crowded';
    oldest.why = 'was slow to finish its handshake while many others came';
    for (const [key, entering] of this.#entering) if (entering === oldest) this.#finish(key, entering);
    oldest.raw.destroy();
    return true;
  }

  /** It failed, and its socket is about to close. */
  #finish(key: string, { outcome, address, why }: Entering): void {
    this.#entering.delete(key);
    this.#owner.handshakes.failed(outcome, address, why);
  }

  #onSecure(socket: TLSSocket): void {
    const key = keyOf(socket);
    const entering = key === null ? undefined : this.#entering.get(key);
    if (key === null || entering === undefined) {
      socket.destroy();
      return;
    }
    this.#entering.delete(key);
    socket.allowHalfOpen = true;
    const refusal = this.#refusal(socket);
    if (refusal === null) {
      this.#owner.handshakes.succeeded();
      this.#owner.admit(socket, entering.id);
      return;
    }
    this.#owner.handshakes.failed(refusal.outcome, entering.address, refusal.why);
    this.#owner.turnAway(socket, refusal.reply);
  }

  /** @returns null: its certificate is what is asked for */
  #refusal(socket: TLSSocket): { outcome: HandshakeOutcome; why: string; reply: string } | null {
    const { clientAuth } = this.#options;
    if (clientAuth === 'none') return null;
    if (!hasCertificate(socket)) {
      if (clientAuth === 'optional') return null;
      return { outcome: 'no-certificate', why: 'showed no certificate (tls-client-auth required)', reply: DENIED_NONE };
    }
    if (socket.authorized) return null;
    const reason = whyRefused(socket, 'tls-ca');
    const reply = `-DENIED the certificate that this client shows ${reason}\r\n`;
    return { outcome: 'bad-certificate', why: `showed a certificate that ${reason}`, reply };
  }

  #onFailure(error: Error, socket: TLSSocket): void {
    const key = keyOf(socket);
    const entering = key === null ? undefined : this.#entering.get(key);
    if (key !== null && entering !== undefined) {
      Object.assign(entering, failureOf(error));
      this.#finish(key, entering);
    }
    // Node.js leaves that to others when a handshake takes too long.
    socket.destroy();
  }
}

/** Parts of OpenSSL's error codes, by what they come from. */
const PLAIN_HTTP = /HTTP_REQUEST|HTTPS_PROXY/;
const NO_TLS = /WRONG_VERSION_NUMBER|BAD_RECORD_TYPE|UNEXPECTED_MESSAGE|RECORD_LENGTH|PACKET_LENGTH|TOO_LONG/;
const DISTRUSTED = /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/;
const MISMATCH = /PROTOCOL|NO_SHARED|HANDSHAKE_FAILURE|VERSION|CIPHER|NO_SUITABLE|INSUFFICIENT_SECURITY/;

/** What the other side did, by the code of OpenSSL's error. */
function failureOf(error: Error): { outcome: HandshakeOutcome; why: string } {
  const code = String(Reflect.get(error, 'code') ?? '');
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return { outcome: 'timeout', why: 'did not finish its handshake in time' };
  if (code === 'ECONNRESET') return { outcome: 'left', why: 'went away in the middle of the handshake' };
  if (PLAIN_HTTP.test(code)) return { outcome: 'not-tls', why: 'sent plain HTTP to tls-listen' };
  if (NO_TLS.test(code)) {
    return { outcome: 'not-tls', why: 'sent something else than TLS to tls-listen: plain clients connect to listen' };
  }
  if (DISTRUSTED.test(code)) {
    return {
      outcome: 'distrusted',
      why: `does not accept the proxy's certificate (${alertOf(code)}): give it the authority that has signed it`,
    };
  }
  if (MISMATCH.test(code)) {
    return {
      outcome: 'mismatch',
      why: 'has no version or cipher of TLS in common with tls-min-version and tls-ciphers',
    };
  }
  return { outcome: 'failed', why: `ended the handshake with an error: ${code === '' ? error.message : code}` };
}

function alertOf(code: string): string {
  return code
    .replace(/^.*ALERT_/, '')
    .toLowerCase()
    .replaceAll('_', ' ');
}

/** Tells the open connections of a listener apart. @returns null: it is closed already */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | null {
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
