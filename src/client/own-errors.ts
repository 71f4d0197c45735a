import { ERRORS, type ErrorCode } from '../errors.js';
import { AdminError } from './admin-error.js';

/** With what the table says that is to be done. */
export function adminError(code: ErrorCode, message: string): AdminError {
  return new AdminError(code, message, ERRORS[code].hint);
}
