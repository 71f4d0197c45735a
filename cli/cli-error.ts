/** A failure that is told in one line, with what to do in a second one. */
export class CliError extends Error {
  readonly hint: string;
  /** 1: it failed; 2: it was called wrongly. */
  readonly exitCode: 1 | 2;
  /** As the admin API has it; empty: it is none of its errors. */
  readonly code: string;

  constructor(message: string, hint: string, exitCode: 1 | 2 = 1, code = '') {
    super(message);
    this.name = 'CliError';
    this.hint = hint;
    this.exitCode = exitCode;
    this.code = code;
  }
}
