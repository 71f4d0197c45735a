import { ERRORS, isErrorCode, RingproxyError } from '../errors.js';

/** The admin API refused, or could not be asked: what happened, under a stable code, and what to do. */
export class AdminError extends Error {
  /** As the admin API has it; `ADMIN_…` where that has not answered. Another version may have others. */
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string) {
    super(message);
    this.name = 'AdminError';
    this.code = code;
    this.hint = hint;
  }

  /** Of a program that ends because of it; 2: it was called wrongly. */
  get exitCode(): 1 | 2 {
    return isErrorCode(this.code) ? new RingproxyError(this.code, this.message).exitCode : 1;
  }
}

/** There was no answer, or not all of it: the same may be asked again. */
export class UnreachableError extends AdminError {
  constructor(message: string) {
    super('ADMIN_UNREACHABLE', message, ERRORS.ADMIN_UNREACHABLE.hint);
    this.name = 'UnreachableError';
  }
}
