/** Real redis-servers, proxies and an etcd for trying things, all of which end with the program that started them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../cli-error.js';
import { GUARD } from './guard.js';

const START_TIMEOUT_MS = 10_000;
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

export interface DemoNode {
  readonly name: string;
  readonly port: number;
}

export interface DemoProxy {
  /** The proxy's own id. */
  readonly id: string;
  readonly port: number;
  readonly admin: string;
  readonly child: ChildProcess;
}

export interface ProxyStart {
  /** Of `serve`, on top of free ports and a log of errors alone. */
  readonly flags?: readonly string[];
  /** Where its log goes. */
  readonly log?: 'nowhere' | 'stderr';
}

export class DemoServers {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ringproxy-demo-'));
  readonly #children = new Set<ChildProcess>();
  readonly #guard: ChildProcess;

  constructor() {
    this.#guard = spawn(process.execPath, [GUARD, this.#folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    // Without its guard the demo works all the same.
    this.#guard.once('error', () => {});
    this.#guard.stdin?.on('error', () => {});
    process.once('exit', () => this.#killAll());
  }

  /** Starts an empty redis-server on a free port. */
  async startNode(name: string): Promise<DemoNode> {
    const port = await freePort();
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = this.#spawn('redis-server', settings);
    await lineOf(child, 'redis-server', (line) => (line.includes('Ready to accept connections') ? true : null));
    return { name, port };
  }

  /** Starts an empty etcd on free ports. @returns its URL */
  async startEtcd(): Promise<string> {
    const [client, peer] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`);
    const settings = [
      ...['--name', 'demo', '--data-dir', 'etcd', '--initial-cluster', `demo=${peer}`],
      ...['--listen-client-urls', `${client}`, '--advertise-client-urls', `${client}`],
      ...['--listen-peer-urls', `${peer}`, '--initial-advertise-peer-urls', `${peer}`],
      ...['--logger', 'zap', '--log-outputs', 'stdout'],
    ];
    const child = this.#spawn('etcd', settings);
    await lineOf(child, 'etcd', (line) => (line.includes('serving client traffic') ? true : null), 'etcd-server');
    return `${client}`;
  }

  /** @throws CliError when it does not get ready; it has ended then */
  async startProxy(nodes: readonly DemoNode[], { flags = [], log = 'nowhere' }: ProxyStart = {}): Promise<DemoProxy> {
    const child = this.#spawn(
      process.execPath,
      [
        MAIN,
        'serve',
        ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-level', 'error'],
        ...nodes.flatMap((node) => ['--node', `${node.name}=127.0.0.1:${node.port}`]),
        ...flags,
      ],
      log,
    );
    try {
      return { ...(await lineOf(child, 'ringproxy serve', parseReady)), child };
    } catch (error) {
      await this.end(child);
      throw error;
    }
  }

  /** Ends one of them, as one asks a server to end. */
  async end(child: ChildProcess): Promise<void> {
    if (!this.#children.has(child)) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  /** Ends one of them without a word. */
  async kill(child: ChildProcess): Promise<void> {
    if (!this.#children.has(child)) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends everything, the proxies first, so that they do not see their nodes go. */
  async stop(): Promise<void> {
    for (const child of [...this.#children].reverse()) await this.end(child);
    this.#guard.stdin?.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(program: string, args: readonly string[], log: 'nowhere' | 'stderr' = 'nowhere'): ChildProcess {
    const child = spawn(program, args, {
      cwd: this.#folder,
      env: plainEnvironment(),
      stdio: ['ignore', 'pipe', log === 'stderr' ? 'inherit' : 'pipe'],
      detached: true,
    });
    // A program that could not be started has no pid, and never exits.
    if (child.pid !== undefined) {
      this.#children.add(child);
      this.#guard.stdin?.write(`+${child.pid}\n`);
      child.once('exit', () => {
        this.#children.delete(child);
        this.#guard.stdin?.write(`-${child.pid}\n`);
      });
    }
    // A pipe that nobody reads would stop the process.
    child.stderr?.resume();
    return child;
  }

  #killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Our environment without the settings of the user's own proxy: its state, its password and token, … */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RINGPROXY_')));
}

function parseReady(line: string): { id: string; port: number; admin: string } | null {
  const match = /"listen":"[^"]*:(\d+)","admin":"([^"]+)".*"proxy":"([^"]+)"/.exec(line);
  return match === null ? null : { port: Number(match[1]), admin: match[2] ?? '', id: match[3] ?? '' };
}

/**
 * Waits for the line of output in which `find` finds something.
 * @param pack what the program's package is called, mostly
 */
function lineOf<T>(
  child: ChildProcess,
  program: string,
  find: (line: string) => T | null,
  pack: string = program,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(
      () => reject(new CliError(`${program} did not start within 10 s`, output)),
      START_TIMEOUT_MS,
    );
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      for (const line of output.split('\n')) {
        const found = find(line);
        if (found === null) continue;
        clearTimeout(timer);
        // What it says from now on is read by nobody, and must not fill its pipe.
        child.stdout?.off('data', read).resume();
        resolve(found);
      }
    };
    child.stdout?.on('data', read);
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const hint = error.code === 'ENOENT' ? `install ${program}, for example: apt-get install ${pack}` : error.message;
      reject(new CliError(`${program} cannot be started`, hint));
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new CliError(`${program} ended with ${code}`, output.split('\n').slice(-5).join('\n')));
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
