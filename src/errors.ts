/** A failure that an operator reads: what happened, under a stable code, and what to do. */
export class RingproxyError extends Error {
  readonly code: string;
  readonly hint: string;
  /** HTTP status of the admin API. */
  readonly status: number;

  constructor(code: string, message: string, hint: string, status = 400) {
    super(message);
    this.name = 'RingproxyError';
    this.code = code;
    this.hint = hint;
    this.status = status;
  }
}
