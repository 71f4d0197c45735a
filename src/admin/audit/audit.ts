/** Who has called what of the admin API: every call that would change something, and those that were refused. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '../../errors.js';
import { tokenOf } from '../answers.js';
import type { AuditEntry } from '../api.js';
import { addressOf, clientOf, visible } from './caller.js';
import { Refusals } from './refusals.js';
import { isDryRun, shownBody, shownUrl } from './shown-request.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the error that it was answered; null: none. */
    failed: string | null;
  }
}

/** Where entries are kept over restarts. */
export interface AuditKeep {
  load(most: number): Promise<AuditEntry[]>;
  append(entry: AuditEntry): Promise<void>;
  close(): Promise<void>;
}

export interface AuditPorts {
  /** This proxy's id, as it is at the moment. */
  readonly proxy: () => string;
  /** Null: nothing is kept over restarts. */
  readonly keep: AuditKeep | null;
  /** Told of each entry. @param summary in a sentence */
  readonly log: (entry: AuditEntry, summary: string) => void;
  /** Told when entries cannot be kept, and when they can again. */
  readonly warn: (message: string) => void;
  /** Milliseconds that do not go back. */
  readonly now: () => number;
}

/** So many are held in memory. */
const MOST_ENTRIES = 1000;
const MOST_METHOD = 32;
/** What looks changes nothing. */
const LOOKS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Refused for who it was that called, and not for what was asked for. */
const REFUSALS: ReadonlySet<string> = new Set([
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NO_CERTIFICATE',
  'BAD_CERTIFICATE',
  'BAD_HOST',
  'BAD_ORIGIN',
  'PEER_TOKEN',
]);
/** Refused for what the caller has not shown. */
const SHOWN_NOTHING: ReadonlySet<string> = new Set(['UNAUTHORIZED', 'NO_CERTIFICATE']);
/** There was nothing to be called. */
const NOWHERE: ReadonlySet<string> = new Set(['NOT_FOUND', 'BAD_METHOD']);

export class Audit {
  readonly #ports: AuditPorts;
  readonly #entries: AuditEntry[] = [];
  readonly #refusals: Refusals;
  #isFailing = false;

  constructor(ports: AuditPorts) {
    this.#ports = ports;
    this.#refusals = new Refusals(ports.now);
  }

  /** Takes what is kept from before. */
  async open(): Promise<void> {
    this.#entries.push(...((await this.#ports.keep?.load(MOST_ENTRIES)) ?? []));
  }

  async close(): Promise<void> {
    await this.#ports.keep?.close();
  }

  /** Since the start, by code of the error. */
  get refused(): ReadonlyMap<string, number> {
    return this.#refusals.counts;
  }

  /** @returns the newest of this proxy, oldest first */
  newest(most: number): AuditEntry[] {
    return this.#entries.slice(-most);
  }

  /** Has all calls noted before they are answered: whoever has an answer finds the call here. */
  watch(app: FastifyInstance): void {
    app.decorateRequest('failed', null);
    app.addHook('onSend', async (request, reply) => this.#answered(request, reply));
  }

  async #answered(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const code = request.failed;
    const isRefused = code !== null && REFUSALS.has(code);
    const isLook = LOOKS.has(request.method);
    // So the page asks before somebody has given it a token: nobody has tried to be somebody.
    if (isRefused && isLook && SHOWN_NOTHING.has(code) && tokenOf(request) === '') {
      this.#refusals.countOnly(code);
      return;
    }
    if (!isRefused && (isLook || request.caller === null || NOWHERE.has(code ?? ''))) return;
    const unlisted = isRefused ? this.#refusals.count(code, request.caller !== null) : 0;
    if (unlisted === null) return;
    const entry: AuditEntry = {
      at: new Date().toISOString(),
      proxy: this.#ports.proxy(),
      who: request.caller?.name ?? null,
      role: request.caller?.role ?? null,
      address: addressOf(request),
      client: clientOf(request),
      method: visible(request.method, MOST_METHOD),
      path: shownUrl(request.url),
      body: shownBody(request.body),
      dryRun: isDryRun(request.body, request.url),
      outcome: isRefused ? 'refused' : code === null ? 'done' : 'failed',
      status: reply.statusCode,
      code,
      unlisted,
    };
    this.#entries.push(entry);
    if (this.#entries.length > MOST_ENTRIES) this.#entries.shift();
    this.#ports.log(entry, summaryOf(entry));
    await this.#keep(entry);
  }

  /** A disk that is full must not keep anybody from mending what is wrong: it is told of. */
  async #keep(entry: AuditEntry): Promise<void> {
    try {
      await this.#ports.keep?.append(entry);
      if (this.#isFailing) this.#ports.warn('the audit log can be written again');
      this.#isFailing = false;
    } catch (error) {
      const why = messageOf(error);
      if (!this.#isFailing) this.#ports.warn(`the audit log cannot be written, and is kept in memory alone: ${why}`);
      this.#isFailing = true;
    }
  }
}

function summaryOf({ who, role, client, address, method, path, dryRun, outcome, code, unlisted }: AuditEntry): string {
  const said = client === null ? '' : ` (says ${JSON.stringify(client)})`;
  const caller = who ?? `${role === null ? 'nobody' : 'somebody'}${said}`;
  const from = address === '' ? '' : ` from ${address}`;
  const what = `${method} ${path.split('?')[0] ?? ''}${dryRun ? ' (dry run)' : ''}`;
  const more = unlisted === 0 ? '' : `; ${unlisted} refused calls before it are not listed`;
  return `${caller}${from}: ${what}: ${outcome}${code === null ? '' : ` (${code})`}${more}`;
}
