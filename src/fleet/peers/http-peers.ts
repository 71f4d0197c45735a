/** Asks members by HTTP at their admin API. */
import type { SecureContextOptions } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { messageOf, systemCode } from '../../errors.js';
import type { Timers } from '../../time/timers.js';
import { LATE, within } from '../../time/within.js';
import type { MemberRecords } from '../../topology/store/ring-store.js';
import { MemberAddresses } from './member-addresses.js';
import type { PeerAnswer, PeerFailure, PeerFailureKind, Peers } from './peers.js';
import { BYTES_TYPE, MOST_PEER_BYTES, PEER_HEADERS, PEER_PATH, PEER_PROTOCOL } from './protocol.js';

export interface HttpPeersOptions {
  /** This proxy's id, as it is at the moment. */
  readonly ownId: () => string;
  /** Empty: the others are on this machine, and ask for none. */
  readonly token: string;
  readonly members: Pick<MemberRecords, 'members'>;
  readonly timers: Pick<Timers, 'after'>;
  /** By which certificates of others are checked, asked for with each new member; undefined: the system's. */
  readonly tls?: () => SecureContextOptions;
}

/** Connections to a member at most: each carries one question at a time. */
const MOST_CONNECTIONS = 8;
/** Questions that wait for a member at most, and their bytes: one that stands still must not gather everybody's. */
const MOST_WAITING = 512;
const MOST_WAITING_BYTES = 2 * MOST_PEER_BYTES;
const CONNECT_TIMEOUT_MS = 2000;
/** An admin listener ends a connection that is silent for two minutes. */
const MOST_TIMEOUT_MS = 110_000;
/** Less than an admin listener keeps them: otherwise a question could meet the end of its connection. */
const KEPT_ALIVE_MS = 60_000;

interface Line {
  readonly pool: Pool;
  waiting: number;
  bytes: number;
}

export class HttpPeers implements Peers {
  readonly #options: HttpPeersOptions;
  readonly #addresses: MemberAddresses;
  /** By the URL's origin. */
  readonly #lines = new Map<string, Line>();

  constructor(options: HttpPeersOptions) {
    this.#options = options;
    this.#addresses = new MemberAddresses(options.members);
  }

  async ask(member: string, path: string, body: object, timeoutMs: number): Promise<PeerAnswer> {
    const giveUp = new AbortController();
    const milliseconds = Math.min(timeoutMs, MOST_TIMEOUT_MS);
    const answer = await within(milliseconds, this.#ask(member, path, body, giveUp.signal), this.#options.timers);
    if (answer !== LATE) return answer;
    giveUp.abort();
    return failed('timed out', member, `${nameOf(member)} did not answer ${path} within ${milliseconds} ms`);
  }

  /** New connections are checked by other certificates; what is being asked is answered by those that there are. */
  renew(): void {
    for (const { pool } of this.#lines.values()) void pool.close();
    this.#lines.clear();
  }

  /** Ends the connections; what is being asked fails. */
  async close(): Promise<void> {
    const lines = [...this.#lines.values()];
    this.#lines.clear();
    await Promise.all(lines.map(({ pool }) => pool.destroy()));
  }

  async #ask(member: string, path: string, body: object, signal: AbortSignal): Promise<PeerAnswer> {
    let address: string | null;
    try {
      address = await this.#addresses.of(member);
    } catch (error) {
      return failed('unreachable', member, `the address of ${nameOf(member)} cannot be read: ${messageOf(error)}`);
    }
    if (address === null) return failed('unknown member', member, `there is no ${nameOf(member)} in this ring`);
    const who = nameOf(member, address);
    if (!URL.canParse(address)) {
      return failed('no address', member, `${who} has told no URL by which others reach it`);
    }
    const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    if (bytes.length > MOST_PEER_BYTES) {
      return failed('too large', member, `${path} for ${who} has ${bytes.length} bytes, which is too many`);
    }
    const line = this.#lineTo(new URL(address).origin);
    if (line.waiting >= MOST_WAITING || line.bytes + bytes.length > MOST_WAITING_BYTES) {
      return failed('busy', member, `${line.waiting} questions wait for ${who} already`);
    }
    // Given up while the address was looked up.
    if (signal.aborted) return failed('timed out', member, `${who} was not asked in time`);
    line.waiting++;
    line.bytes += bytes.length;
    try {
      const answer = await line.pool.request({
        method: 'POST',
        path: `${PEER_PATH}${path}`,
        headers: this.#headers(member, body instanceof Uint8Array),
        body: bytes,
        signal,
      });
      return await this.#read(member, who, answer);
    } catch (error) {
      const kind = kindOf(error);
      // Another process may have the address by now, or the same member another one.
      if (kind === 'unreachable') this.#addresses.forget(member);
      return failed(kind, member, `${who} ${DESCRIPTIONS[kind]}: ${messageOf(error)}`);
    } finally {
      line.waiting--;
      line.bytes -= bytes.length;
    }
  }

  #headers(member: string, isBytes: boolean): Record<string, string> {
    const { token, ownId } = this.#options;
    return {
      [PEER_HEADERS.protocol]: PEER_PROTOCOL,
      [PEER_HEADERS.from]: ownId(),
      [PEER_HEADERS.to]: member,
      'content-type': isBytes ? BYTES_TYPE : 'application/json',
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  async #read(
    member: string,
    who: string,
    { statusCode, headers, body }: Dispatcher.ResponseData,
  ): Promise<PeerAnswer> {
    const bytes = Buffer.from(await body.arrayBuffer());
    const isBytes = headers['content-type'] === BYTES_TYPE;
    const content = isBytes ? bytes : parseJson(bytes);
    if (statusCode === 200 && headers[PEER_HEADERS.to] === member && content !== undefined) {
      return { ok: true, body: content };
    }
    const error = errorIn(content);
    const kind = error === null ? 'no proxy' : (KINDS.get(error.code) ?? 'own error');
    if (kind === 'other proxy' || kind === 'no proxy') this.#addresses.forget(member);
    const what = error === null ? `answers ${statusCode}, not as a proxy of this ring` : `answers: ${error.message}`;
    return { ok: false, failure: { kind, member, message: `${who} ${what}`, error } };
  }

  #lineTo(origin: string): Line {
    const known = this.#lines.get(origin);
    if (known !== undefined) return known;
    this.#endUnused();
    const pool = new Pool(origin, {
      connections: MOST_CONNECTIONS,
      keepAliveTimeout: KEPT_ALIVE_MS,
      keepAliveMaxTimeout: KEPT_ALIVE_MS,
      connect: connector(this.#options.tls?.() ?? {}),
      // The question's own time counts.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MOST_PEER_BYTES,
    });
    const line: Line = { pool, waiting: 0, bytes: 0 };
    this.#lines.set(origin, line);
    return line;
  }

  /** Members come and go under ever new addresses. */
  #endUnused(): void {
    const used = new Set(this.#addresses.all.filter((url) => URL.canParse(url)).map((url) => new URL(url).origin));
    for (const [origin, { pool, waiting }] of this.#lines) {
      if (used.has(origin) || waiting > 0) continue;
      this.#lines.delete(origin);
      pool.destroy().catch(() => {});
    }
  }
}

const DESCRIPTIONS = {
  unreachable: 'cannot be reached',
  lost: 'was asked, and the connection was lost',
  'too large': 'answers with too much',
} as const;

/** What the peer's side of the protocol refuses, by the code that it answers. */
const KINDS: ReadonlyMap<string, PeerFailureKind> = new Map([
  ['PEER_TOKEN', 'refused'],
  ['PEER_OTHER', 'other proxy'],
  ['PEER_VERSION', 'other version'],
]);

/** No connection was made, so nothing was sent; whichever error the system or TLS has for that. */
class NotConnected extends Error {}

function connector(tls: SecureContextOptions): buildConnector.connector {
  const connectSocket = buildConnector({ ...tls, timeout: CONNECT_TIMEOUT_MS, keepAlive: true });
  return (options, callback) => {
    connectSocket(options, (error, socket) => {
      if (error !== null) callback(new NotConnected(error.message, { cause: error }), null);
      else callback(null, socket);
    });
  };
}

function kindOf(error: unknown): keyof typeof DESCRIPTIONS {
  if (error instanceof NotConnected) return 'unreachable';
  return systemCode(error) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' ? 'too large' : 'lost';
}

function failed(kind: PeerFailureKind, member: string, message: string): { ok: false; failure: PeerFailure } {
  return { ok: false, failure: { kind, member, message, error: null } };
}

function nameOf(member: string, address = ''): string {
  return address === '' ? `proxy ${member}` : `proxy ${member} (${address})`;
}

/** @returns undefined: it is none */
function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function errorIn(content: unknown): PeerFailure['error'] {
  if (typeof content !== 'object' || content === null || !('error' in content)) return null;
  const { error } = content;
  if (typeof error !== 'object' || error === null) return null;
  const [code, message, hint] = ['code', 'message', 'hint'].map((name): unknown => Reflect.get(error, name));
  if (typeof code !== 'string' || typeof message !== 'string' || typeof hint !== 'string') return null;
  return { code, message, hint };
}
