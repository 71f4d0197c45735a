/**
 * Network namespaces without names: each lives as long as a process in it, so nothing is left of a test that dies,
 * however it dies.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { type Child, startChild } from '../child.js';
import { findProgram, requireProgram } from '../programs.js';

const PROGRAMS = ['ip', 'iptables', 'nsenter', 'unshare', 'perl'] as const;
const DEVICE = '/dev/net/tun';

/** Why no networks can be made here, and what to do; null: they can. */
function findObstacle(): string | null {
  if (process.platform !== 'linux') return 'they need Linux';
  const missing = PROGRAMS.filter((program) => findProgram(program) === null);
  if (missing.length > 0) {
    return `${missing.join(', ')} not found: install iproute2, iptables, util-linux and perl`;
  }
  try {
    runProgram([requireProgram('unshare'), '--net', 'true']);
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return `they need root, and ${DEVICE}: run the tests as root, a container with --privileged`;
  }
}

/**
 * Whether networks can be made here: without that, what needs them is skipped. In CI nothing is skipped.
 * @throws Error in CI, with what to do
 */
export function canMakeNetworks(): boolean {
  const obstacle = findObstacle();
  if (obstacle === null) return true;
  if (process.env.CI) throw new Error(`networks in namespaces cannot be made: ${obstacle}`);
  return false;
}

export class Namespace {
  readonly #holder: Child;

  private constructor(holder: Child) {
    this.#holder = holder;
  }

  /** It ends with the test (or file) that has made it. */
  static async make(): Promise<Namespace> {
    const holder = await startChild('unshare', ['--net', '--', 'sh', '-c', 'echo made; exec sleep infinity']);
    await holder.line((line) => (line === 'made' ? true : null));
    const namespace = new Namespace(holder);
    namespace.run('ip', 'link', 'set', 'lo', 'up');
    return namespace;
  }

  /** Of the process that keeps it. */
  get pid(): number {
    return this.#holder.pid;
  }

  /** What stands in front of a program and its arguments, so that it runs here. */
  get prefix(): readonly string[] {
    return [requireProgram('nsenter'), `--net=/proc/${this.pid}/ns/net`, '--'];
  }

  /** Runs a program here. @returns what it wrote @throws Error with its messages when it fails */
  run(program: string, ...args: string[]): string {
    return runProgram([...this.prefix, requireProgram(program), ...args]);
  }
}

/** @returns what the program wrote @throws Error with its messages when it fails */
export function runProgram([program = '', ...args]: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
