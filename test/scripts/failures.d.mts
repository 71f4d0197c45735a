/** One test that failed, or (`test` is empty) a file outside of its tests, or (`file` is empty, too) a whole run. */
export interface Failure {
  readonly file: string;
  readonly test: string;
  readonly error: string;
}

/** The part of vitest's JSON report that is read. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

export function failuresIn(report: Report, where: string): Failure[];
export function listFailures(runs: readonly { readonly run: string; readonly failures: readonly Failure[] }[]): string;
