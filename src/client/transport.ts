/** HTTP with the admin API: what is sent there, and what becomes of each answer. */
import type { Agent, Dispatcher } from 'undici';
import type { ApiError } from '../admin/api.js';
import { ERRORS, messageOf, systemCode } from '../errors.js';
import { AdminError, UnreachableError } from './admin-error.js';
import { adminUrl } from './admin-url.js';
import { type ProxyEvent, readEvents } from './event-stream.js';
import { adminError } from './own-errors.js';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const HEADERS_TIMEOUT_MS = 10_000;
/** A change examines nodes first. */
const CHANGE_TIMEOUT_MS = 120_000;

export interface AdminOptions {
  /** Where the admin API is: its URL, or HOST:PORT. */
  readonly admin: string;
  readonly token?: string | undefined;
  /** Of an https:// URL: certificates (PEM) of the authorities that sign that of the proxy; undefined: the system's. */
  readonly ca?: string | undefined;
  /** Of an https:// URL: the certificate (PEM) that is shown where the proxy asks for one, and its private key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Who runs the program, such as `user@host`: told in the proxy's audit log and in the ring's history. */
  readonly client?: string | undefined;
}

type Certified = Pick<AdminOptions, 'ca' | 'cert' | 'key'>;

export class Transport {
  readonly #base: string;
  readonly #token: string;
  readonly #client: string;
  /** By which certificates; null: by the system's, and none. */
  readonly #connect: Certified | null;
  /** Null until something is asked. */
  #agent: Agent | null = null;

  /** @throws AdminError when `admin` is no address */
  constructor({ admin, token = '', client = '', ca, cert, key }: AdminOptions) {
    this.#base = adminUrl(admin);
    this.#token = token;
    const connect = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
    };
    this.#connect = Object.keys(connect).length === 0 ? null : connect;
    // A header takes no more.
    this.#client = client.replace(/[^\x20-\x7e]/g, '?');
  }

  get<T>(path: string): Promise<T> {
    return this.send<T>('GET', path, null);
  }

  /** @throws AdminError when it refuses, or cannot be asked */
  async send<T>(method: Method, path: string, body: object | null): Promise<T> {
    const answer = await this.#ask(method, path, body);
    const status = answer.statusCode;
    let text: string;
    try {
      text = await answer.body.text();
    } catch (error) {
      throw this.#unreachable(error);
    }
    const parsed = parseJson(text);
    if (status >= 200 && status < 300 && parsed !== undefined) return parsed as T;
    throw this.#failure(status, parsed);
  }

  /** @returns when it has answered: the events that it sends until it ends the stream */
  async events(path: string, signal: AbortSignal | undefined): Promise<AsyncIterable<ProxyEvent>> {
    // Nothing may happen for long.
    const options = { bodyTimeout: 0, ...(signal === undefined ? {} : { signal }) };
    const answer = await this.#ask('GET', path, null, options);
    if (answer.statusCode !== 200) throw this.#failure(answer.statusCode, parseJson(await answer.body.text()));
    return readEvents(this.#chunks(answer.body));
  }

  async *#chunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async #ask(
    method: Method,
    path: string,
    body: object | null,
    options: { readonly bodyTimeout?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Dispatcher.ResponseData> {
    // Loaded when it is needed: whoever asks nothing starts faster without it.
    const undici = await import('undici');
    if (this.#connect !== null) this.#agent ??= new undici.Agent({ connect: this.#connect });
    try {
      return await undici.request(`${this.#base}${path}`, {
        ...options,
        ...(this.#agent === null ? {} : { dispatcher: this.#agent }),
        method,
        headersTimeout: method === 'GET' ? HEADERS_TIMEOUT_MS : CHANGE_TIMEOUT_MS,
        headers: {
          ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(this.#client === '' ? {} : { 'x-ringproxy-client': this.#client }),
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        body: body === null ? null : JSON.stringify(body),
      });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): AdminError {
    const wrong = certificateFailure(error);
    if (wrong !== null) {
      return new AdminError('ADMIN_TLS', `the admin API at ${this.#base} ${wrong.what}`, wrong.hint);
    }
    return new UnreachableError(`the admin API at ${this.#base} cannot be reached: ${describe(error)}`);
  }

  #failure(status: number, answer: unknown): AdminError {
    if (isApiError(answer)) return new AdminError(answer.error.code, answer.error.message, answer.error.hint);
    return adminError('ADMIN_ANSWER', `${this.#base} answered ${status}, not as the admin API does`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isApiError(value: unknown): value is ApiError {
  if (typeof value !== 'object' || value === null) return false;
  const error: unknown = Reflect.get(value, 'error');
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error && 'hint' in error;
}

/** @returns null: it has nothing to do with certificates */
function certificateFailure(error: unknown): { readonly what: string; readonly hint: string } | null {
  const code = systemCode(error);
  const { hint } = ERRORS.ADMIN_TLS;
  if (/^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_)/.test(code)) {
    return { what: 'shows a certificate that no known authority has signed', hint };
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const when = code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet';
    const what = `shows a certificate that ${when}`;
    return { what, hint: 'put a new one in its place (admin-tls-cert, admin-tls-key): the proxy takes it by itself' };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const what = `shows a certificate of another name: ${messageOf(error)}`;
    return { what, hint: 'call it by a name that stands in its certificate, or give it one with this name' };
  }
  if (/ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH)/.test(code)) {
    return { what: 'is served by HTTP, and not by HTTPS', hint: 'call it by http://, or set admin-tls: on' };
  }
  return null;
}

function describe(error: unknown): string {
  const code = systemCode(error);
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name does not resolve';
  if (code.includes('TIMEOUT')) return 'it did not answer in time';
  return messageOf(error);
}
