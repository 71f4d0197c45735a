/** The product's own errors, as programs see them. */
import { RingproxyError as OwnError } from '../errors.js';

/** What happened, under a stable code, and what to do. */
export interface RingproxyError extends Error {
  /** As `src/docs/errors.md` lists them; another version may have others. */
  readonly code: string;
  readonly hint: string;
  /** Of `CONFIG`: everything that is wrong with the settings, each with its path. */
  readonly mistakes?: readonly { readonly where: string; readonly message: string }[];
}

/** For `instanceof`. */
export const RingproxyError: abstract new (...none: never[]) => RingproxyError = OwnError;
