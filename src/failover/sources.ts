/** Who knows where a node's master is, and how they are asked. */

import { formatAddress } from '../node/address.js';
import type { NodeEndpoint, Speech } from '../node/endpoint.js';
import type { Followed } from '../node/followed.js';
import { readRunId } from '../resp/run-id.js';
import { Connection } from './connection.js';
import { goesOnFrom, type Replication, readReplication } from './replication.js';
import { describeSentinelError } from './sentinel-error.js';
import { type Found, judgeSentinels, judgeServers, type SentinelAnswer, type Verdict } from './votes.js';

export interface Source {
  /** Asks all. Does not throw. @param says what `current` says that it is; null: it does not answer */
  ask(current: Found | null, says: Replication['role'] | null): Promise<Verdict>;
  /** The history of writes of who was master last: who goes on from there is no former one. Empty: not known. */
  remember(history: string): void;
  close(): void;
}

export interface SourceOptions {
  /** For people. */
  readonly node: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** How Sentinels are spoken to. */
  readonly sentinels: () => Speech;
  readonly serverLogin: () => Speech;
  /** One of them has told by itself that something has changed. */
  readonly onNews: () => void;
}

export function createSource(followed: Followed, options: SourceOptions): Source {
  return followed.kind === 'sentinel'
    ? new Sentinels(followed.sentinels, followed.master, options)
    : new Servers(followed.addresses, options);
}

/** Each is subscribed to as well as asked: a subscription that breaks unnoticed costs no more than the next question. */
class Sentinels implements Source {
  readonly #master: string;
  readonly #probe: (address: string) => ReplicationProbe;
  #history = '';
  readonly #all: readonly { readonly sentinel: string; readonly asked: Connection; readonly heard: Connection }[];

  constructor(sentinels: readonly string[], master: string, options: SourceOptions) {
    const { node, timeout, sentinels: bySentinels, serverLogin, onNews } = options;
    this.#master = master;
    this.#probe = (address) => new ReplicationProbe(() => ({ name: node, address, ...serverLogin() }), timeout);
    this.#all = sentinels.map((sentinel) => {
      const endpoint = (): NodeEndpoint => ({ name: `${node}'s Sentinel`, address: sentinel, ...bySentinels() });
      const heard = new Connection(endpoint, timeout, async (redis) => {
        redis.on('message', (_channel: string, text: string) => {
          if (text.startsWith(`${master} `)) onNews();
        });
        await redis.subscribe('+switch-master');
      });
      return { sentinel, asked: new Connection(endpoint, timeout), heard };
    });
  }

  async ask(current: Found | null, says: Replication['role'] | null): Promise<Verdict> {
    const answers = await Promise.all(
      this.#all.map(async ({ sentinel, asked, heard }): Promise<SentinelAnswer> => {
        const listening = heard.use((redis) => redis.ping()).catch(() => {});
        try {
          const answer = await asked.use((redis) => readMaster(redis, this.#master));
          await listening;
          return { sentinel, ...answer };
        } catch (error) {
          return { sentinel, error: describeSentinelError(error) };
        }
      }),
    );
    const verdict = judgeSentinels(answers, current, true);
    // Sentinels that were set up anew count from the beginning, as those do that know an older master.
    if (verdict.older === undefined || says === 'master') return verdict;
    if (says === 'replica' || (await this.#goesOn(verdict.older))) return judgeSentinels(answers, current, false);
    return verdict;
  }

  remember(history: string): void {
    this.#history = history;
  }

  async #goesOn(address: string): Promise<boolean> {
    const probe = this.#probe(address);
    const said = await probe.read().finally(() => probe.close());
    return said !== null && this.#history !== '' && goesOnFrom(said, { history: this.#history });
  }

  close(): void {
    for (const { asked, heard } of this.#all) {
      asked.close();
      heard.close();
    }
  }
}

type Asked = Parameters<Parameters<Connection['use']>[0]>[0];

/**
 * In one go: while a failover ends, the address is that of the promoted replica already, and the epoch that of the
 * failover.
 * @throws Error when the Sentinel does not know the master
 */
async function readMaster(redis: Asked, master: string): Promise<{ address: string; epoch: number }> {
  const [where, fields] = await Promise.all([
    redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master),
    redis.call('SENTINEL', 'MASTER', master).catch(() => null),
  ]);
  if (!Array.isArray(where) || !Array.isArray(fields)) throw new Error(`it knows no master ${master}`);
  const [host, port] = where.map(String);
  const at = fields.indexOf('config-epoch');
  const epoch = Number(at < 0 ? Number.NaN : fields[at + 1]);
  if (host === undefined || !Number.isInteger(Number(port)) || !Number.isInteger(epoch))
    throw new Error(`it does not answer as a Sentinel does`);
  return { address: formatAddress({ host, port: Number(port) }), epoch };
}

/** Servers that know each of itself whether it is master. */
class Servers implements Source {
  readonly #all: readonly { readonly address: string; readonly asked: ReplicationProbe }[];
  /** What the one that was found said when it was found last. */
  #last: Pick<Replication, 'history'> | null = null;

  constructor(addresses: readonly string[], { node, timeout, serverLogin }: SourceOptions) {
    this.#all = addresses.map((address) => ({
      address,
      asked: new ReplicationProbe(() => ({ name: node, address, ...serverLogin() }), timeout),
    }));
  }

  async ask(current: Found | null): Promise<Verdict> {
    const answers = await Promise.all(
      this.#all.map(async ({ address, asked }) => ({ address, replication: await asked.read() })),
    );
    const verdict = judgeServers(answers, current, this.#last);
    const found = answers.find(({ address }) => address === verdict.found?.address)?.replication;
    this.#last = found ?? this.#last;
    return verdict;
  }

  remember(history: string): void {
    this.#last = history === '' ? null : { history };
  }

  close(): void {
    for (const { asked } of this.#all) asked.close();
  }
}

/** Asks one server for its part in replication. */
export class ReplicationProbe {
  readonly #connection: Connection;

  /** @param node the server by itself, whatever it is the node of */
  constructor(node: () => NodeEndpoint, timeout: number) {
    this.#connection = new Connection(node, timeout);
  }

  /** @returns null when it does not answer, or not as Redis does */
  async read(): Promise<Replication | null> {
    const info = await this.#connection.use((redis) => redis.info('replication')).catch(() => null);
    return info === null ? null : readReplication(info);
  }

  /** @returns what the server is, where it is a master: both of one process; otherwise null */
  async identify(): Promise<{ readonly runId: string; readonly replication: Replication } | null> {
    const asked = this.#connection.use((redis) => Promise.all([redis.info('replication'), redis.info('server')]));
    const [info, server] = (await asked.catch(() => null)) ?? ['', ''];
    const replication = readReplication(info);
    return replication?.role === 'master' ? { runId: readRunId(server), replication } : null;
  }

  close(): void {
    this.#connection.close();
  }
}
