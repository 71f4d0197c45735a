/** Where applications are run: at a single Redis, and at a ring of three nodes, one application at a time. */
import { join } from 'node:path';
import { type Child, startChild } from '../support/child.js';
import { atEnd } from '../support/cleanup.js';
import { type RedisProcess, startRedis, startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { ROOT } from '../support/root.js';
import { scrape } from '../support/series.js';
import { APPLICATIONS, type Application } from './table.js';
import { keyspace, readTranscript, type Step } from './transcript.js';

const PROGRAMS = join(ROOT, 'test/applications/programs');
/** Milliseconds after which a program waits for something that does not come; the longest takes 10 s. */
const PATIENCE = 60_000;
/** The proxy's own keys at nodes. */
const RESERVED = '__ringproxy__*';

/** One ring for all of them: with the patterns of those that need one, beside the keys of the others. */
const CONFIG = JSON.stringify({
  ring: { 'hash-tags': APPLICATIONS.flatMap(({ pattern }) => (pattern === undefined ? [] : [pattern])) },
});
/** Keys of others, which are on all nodes. */
const NEIGHBOURS = Object.fromEntries(Array.from({ length: 24 }, (_, i) => [`neighbour:${i}`, `of ${i}`]));

/** What an application saw, and what it left. */
export interface Run {
  readonly transcript: readonly Step[];
  readonly keyspace: readonly string[];
}

export interface RingRun extends Run {
  /** The commands that went over several nodes. */
  readonly crossed: ReadonlySet<string>;
  /** Keys of the proxy's own that were not there before. */
  readonly leftBehind: readonly string[];
}

export class Stage {
  readonly #single: RedisProcess;
  readonly #nodes: readonly RedisProcess[];
  readonly #proxy: RingproxyProcess;
  readonly #running = new Set<Child>();

  constructor(single: RedisProcess, nodes: readonly RedisProcess[], proxy: RingproxyProcess) {
    this.#single = single;
    this.#nodes = nodes;
    this.#proxy = proxy;
    atEnd(async () => {
      for (const child of this.#running) await child.kill();
    });
  }

  async atSingle(interpreter: string, application: Application): Promise<Run> {
    const redis = this.#single.client();
    await redis.flushall();
    await redis.mset(NEIGHBOURS);
    const transcript = await this.#run(interpreter, application, this.#single.port);
    return { transcript, keyspace: await keyspace(redis) };
  }

  async atRing(interpreter: string, application: Application): Promise<RingRun> {
    const redis = this.#proxy.client();
    await redis.flushall();
    await redis.mset(NEIGHBOURS);
    const reservedBefore = new Set(await this.#reserved());
    const before = await this.#crossings();
    const transcript = await this.#run(interpreter, application, this.#proxy.port);
    const after = await this.#crossings();
    return {
      transcript,
      keyspace: await keyspace(redis),
      crossed: new Set([...after].filter(([name, count]) => count > (before.get(name) ?? 0)).map(([name]) => name)),
      leftBehind: (await this.#reserved()).filter((key) => !reservedBefore.has(key)),
    };
  }

  async #run(interpreter: string, { name, program }: Application, port: number): Promise<Step[]> {
    const child = await startChild(interpreter, [join(PROGRAMS, program)], {
      cwd: PROGRAMS,
      env: {
        REDIS_URL: `redis://127.0.0.1:${port}`,
        REDIS_PORT: String(port),
        PYTHONDONTWRITEBYTECODE: '1',
      },
      unbound: true,
    });
    this.#running.add(child);
    const giveUp = setTimeout(() => child.signal('SIGKILL'), PATIENCE);
    const how = await child.exited;
    clearTimeout(giveUp);
    this.#running.delete(child);
    if (how !== 0) throw new Error(`${name} ended with ${how}:\n${child.output}`);
    return readTranscript(child.stdout);
  }

  async #reserved(): Promise<string[]> {
    return (await Promise.all(this.#nodes.map((node) => node.client().keys(RESERVED)))).flat();
  }

  /** How many of each command went over several nodes. */
  async #crossings(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const [series, count] of await scrape(this.#proxy.admin)) {
      const command = /^ringproxy_cross_node_commands_total\{.*command="([^"]+)"/.exec(series)?.[1];
      if (command !== undefined) counts.set(command, (counts.get(command) ?? 0) + count);
    }
    return counts;
  }
}

/** Stages that are lent, so that as many applications run at a time. */
export class Stages {
  readonly #free: Stage[] = [];
  readonly #waiting: ((stage: Stage) => void)[] = [];

  static async start(count: number): Promise<Stages> {
    const stages = new Stages();
    const start = async (): Promise<Stage> => {
      const nodes = await startRedises(3);
      return new Stage(await startRedis(), nodes, await startRingproxy({ nodes, config: CONFIG }));
    };
    stages.#free.push(...(await Promise.all(Array.from({ length: count }, start))));
    return stages;
  }

  /** Waits for a stage, and has it for as long as `use` takes. */
  async lend<T>(use: (stage: Stage) => Promise<T>): Promise<T> {
    const stage = this.#free.pop() ?? (await new Promise<Stage>((resolve) => this.#waiting.push(resolve)));
    try {
      return await use(stage);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(stage);
      else next(stage);
    }
  }
}
