import { execFileSync } from 'node:child_process';

/** A Node.js that runs the product and the floor. */
export interface Runtime {
  readonly path: string;
  readonly version: string;
  /** What is written behind a target's name: empty where there is but one runtime. */
  readonly suffix: string;
}

/** @param paths of Node.js; none: the one that runs the benchmark. @throws Error when one does not start */
export function runtimes(paths: readonly string[]): [Runtime, ...Runtime[]] {
  const [first = process.execPath, ...others] = paths;
  const runtime = (path: string): Runtime => {
    const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
    return { path, version, suffix: others.length === 0 ? '' : ` (${version})` };
  };
  return [runtime(first), ...others.map(runtime)];
}
