/** Sees to it that all nodes have the same functions: those that join, that come back, and all of them at the start. */
import { RingproxyError } from '../errors.js';
import { describeNodeError } from '../node/client.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import type { ProxyStanding } from '../node/standing.js';
import { LATE, within } from '../time/within.js';
import { copyFunctions, spreadFunctions } from './functions.js';

export interface FunctionKeeperOptions {
  /** Of each connection and each command. Milliseconds. */
  readonly timeout: number;
  readonly standing: ProxyStanding;
  /** Nodes that serve clients now. */
  readonly serving: () => readonly NodeEndpoint[];
  readonly log: {
    info(about: { readonly node?: string }, message: string): void;
    warn(about: { readonly node?: string }, message: string): void;
  };
}

/** A node that is back, or a proxy that starts, does not wait for longer until functions are copied. */
const PATIENCE_MS = 2000;

export class FunctionKeeper {
  readonly #options: FunctionKeeperOptions;

  constructor(options: FunctionKeeperOptions) {
    this.#options = options;
  }

  /** A node comes back that was down: it may have lost its functions. It serves when this returns, whatever was found. */
  async beforeReturn(node: NodeEndpoint): Promise<void> {
    const { serving, log, timeout, standing } = this.#options;
    const { name } = node;
    const others = serving().filter((other) => other.name !== name);
    try {
      const from = await within(PATIENCE_MS, copyFunctions(others, node, timeout, standing));
      if (from === LATE || from === null) return;
      log.info({ node: name }, `${name} came back without functions: copied those of ${from}`);
    } catch (error) {
      const why = describeNodeError(error);
      log.warn({ node: name }, `${name} came back, but its functions could not be checked: ${why}`);
    }
  }

  /** A node is to join. @throws RingproxyError when it cannot take the functions that the members have */
  async bring(members: readonly NodeEndpoint[], node: NodeEndpoint): Promise<void> {
    const { timeout, standing } = this.#options;
    await copyFunctions(members, node, timeout, standing).catch((error: unknown) => {
      throw new RingproxyError(
        'FUNCTIONS',
        `${node.name} (${node.address}) cannot take the functions of the ring: ${describeNodeError(error)}`,
      );
    });
  }

  /** The proxy starts: a node may have been restarted while nobody looked. */
  async spread(members: readonly NodeEndpoint[]): Promise<void> {
    const { timeout, standing } = this.#options;
    const given = await within(PATIENCE_MS, spreadFunctions(members, timeout, standing));
    if (given === LATE || given.length === 0) return;
    this.#options.log.info({}, `${given.join(', ')} had no functions: copied those of another node`);
  }
}
