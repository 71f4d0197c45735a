/** Who calls the admin API, and what they have called. */

/** `GET /v1/whoami`: what the token that came with it is good for. */
export interface WhoamiView {
  /** Of the token; null: none is needed. */
  name: string | null;
  role: 'viewer' | 'operator' | 'admin';
}

/** A call of the admin API that would change something, or one that was refused. */
export interface AuditEntry {
  at: string;
  /** The proxy that was called. */
  proxy: string;
  /** The name of the token; null: there was none that is valid, or none is needed. */
  who: string | null;
  role: WhoamiView['role'] | null;
  /** Where the connection came from; empty: a Unix socket. */
  address: string;
  /** What the caller says of itself: user@host of the command line, otherwise the program's name. Not to be relied on. */
  client: string | null;
  method: string;
  /** With what stands behind the question mark. */
  path: string;
  /** The body as JSON, without passwords, cut where it is long; null: there was none, or it was not read. */
  body: string | null;
  /** It would only have said what it does. */
  dryRun: boolean;
  outcome: 'done' | 'refused' | 'failed';
  /** HTTP's. */
  status: number;
  /** Of the error; null: there was none. */
  code: string | null;
  /** So many refused calls of before are not listed, since there were too many. */
  unlisted: number;
}

/** `GET /v1/audit` */
export interface AuditView {
  /** Oldest first. */
  entries: AuditEntry[];
  /** Proxies that have not answered. */
  missing: { proxy: string; why: string }[];
}
