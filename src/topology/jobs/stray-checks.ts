/**
 * Looks for strays (see `rebalance/strays.ts`): of all nodes in the background, of one that was restarted, of all at an
 * operator's word, and of those that a change would make the owners of keys, before it begins.
 *
 * Removed are those that are sure to be from the past: on a node that had none before it was restarted, and those that
 * a change would bring to light. What else is found is told of, since it may belong to somebody else: another proxy
 * with another ring on the same nodes, or one whose ring does not have the hash that the keys were placed by.
 */

import type { NodeStrays, StrayReport } from '../../admin/api.js';
import { counted } from '../../counted.js';
import { messageOf, RingproxyError } from '../../errors.js';
import { parseFollowed } from '../../node/followed.js';
import { nodeKey, sameNode } from '../../node/identity.js';
import type { NodeLink } from '../../rebalance/node-link.js';
import { walkStrays } from '../../rebalance/strays.js';
import type { KeyHash, Rings } from '../../ring/rings.js';
import { describeShared, refuseShared, sharedServers } from '../admission/shared-servers.js';
import type { Member } from '../state/ring-state.js';
import type { Upkeep } from '../upkeep.js';
import { likelyCause } from './stray-cause.js';

export interface StableRing {
  readonly rings: Rings;
  readonly nodes: readonly Member[];
}

export interface StrayChecksOptions {
  /** @throws NodeFailure */
  open(node: Member): Promise<NodeLink>;
  /** What removes keys is part of it. */
  readonly upkeep: Pick<Upkeep, 'run'>;
  /** The ring while it does not change; otherwise null. */
  stable(): StableRing | null;
  /** Of the process that the node's probes see, or null. */
  runId(node: Member): string | null;
  /** Of the processes that the nodes are now, asked of them; empty where one does not say. */
  runIds(nodes: readonly Member[]): Promise<readonly string[]>;
  /** Before keys are removed at an operator's word. @throws RingproxyError when they may be another proxy's */
  refuseStrangers(nodes: readonly Member[]): Promise<void>;
  /** Which keys are of those that proxies have, and no node; as it is now. */
  keysOfNoNode(): (key: Buffer) => boolean;
  warn(message: string): void;
}

/** Keys a second that are looked at on each node, so that clients do not notice. */
const BACKGROUND_RATE = 20_000;
const ASKED_RATE = 200_000;
const TICK_MS = 1000;
/** Of keys, for people. */
const EXAMPLES = 5;
const EXAMPLE_BYTES = 128;
/** With more strays than that, and more than half of a node's keys, something else is wrong. */
const FEW = 100;

interface Known {
  readonly node: Member;
  /** Of the process that was looked at last. */
  runId: string;
  /** It was looked at whole, and nothing was left. */
  clean: boolean;
  view: NodeStrays;
}

interface Walk {
  readonly rings: Rings;
  /** Index of the node in `rings`. */
  readonly index: number;
  readonly removes: boolean;
  /** Keys a second; 0: as fast as it goes. */
  readonly rate: number;
  readonly cameBack: boolean;
  readonly concerns: (hash: KeyHash) => boolean;
}

export class StrayChecks {
  readonly #options: StrayChecksOptions;
  readonly #known = new Map<string, Known>();
  #timer: NodeJS.Timeout | null = null;
  /** What runs now; checks run one after the other. */
  #running: Promise<void> | null = null;
  #asked: 'check' | 'fix' | null = null;
  /** What was told of nodes that are one server. */
  #toldShared = '';
  #aborted = false;
  #closed = false;

  constructor(options: StrayChecksOptions) {
    this.#options = options;
  }

  /** Begins to look in the background. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.stop();
  }

  /** Ends a check that is under way: the ring is to change. */
  async stop(): Promise<void> {
    this.#aborted = true;
    await this.#running;
  }

  report(): StrayReport {
    const nodes = this.#options.stable()?.nodes ?? [...this.#known.values()].map(({ node }) => node);
    return {
      running: this.#asked !== null,
      fix: this.#asked === 'fix',
      nodes: nodes.map((node) => this.#known.get(nodeKey(node))?.view ?? emptyView(node)),
    };
  }

  /**
   * Begins to look at all nodes; `report` tells how far it is.
   * @param fix remove what is found
   * @throws RingproxyError while the ring changes, or another check runs that was asked for, or keys may be those of a
   *   proxy that is none of this fleet, or of another node
   */
  async check(fix: boolean): Promise<StrayReport> {
    const now = this.#options.stable()?.nodes ?? [];
    if (this.#asked === null) refuseShared(now, await this.#options.runIds(now));
    if (fix && this.#asked === null) await this.#options.refuseStrangers(now);
    if (this.#asked !== null) {
      throw new RingproxyError('CHECK_RUNNING', 'a check is under way');
    }
    const stable = this.#options.stable();
    if (stable === null) {
      throw new RingproxyError(
        'CHANGE_RUNNING',
        'the ring is changing: keys are on their way',
        'wait for the change, or cancel it',
      );
    }
    this.#asked = fix ? 'fix' : 'check';
    await this.stop();
    for (const node of stable.nodes) this.#remember(node).view = emptyView(node);
    this.#run(async () => {
      await Promise.all(
        stable.nodes.map((node, index) =>
          this.#walk(node, {
            rings: stable.rings,
            index,
            removes: fix,
            rate: ASKED_RATE,
            cameBack: false,
            concerns: () => true,
          }),
        ),
      ).finally(() => {
        this.#asked = null;
      });
    });
    return this.report();
  }

  /**
   * Removes what a change would bring to light.
   * @param gaining indices in `rings` of the members that get keys
   * @param looks only say what would be removed
   * @returns warnings
   * @throws RingproxyError STRAY_KEYS when there are so many that something else must be wrong
   */
  async clearBefore(
    nodes: readonly Member[],
    rings: Rings,
    gaining: readonly number[],
    looks: boolean,
  ): Promise<string[]> {
    if (!looks) await this.stop();
    const warnings = await Promise.all(
      gaining.map(async (index) => {
        const node = nodes[index];
        if (node === undefined) return [];
        const concerns = (hash: KeyHash): boolean => rings.nextOwnerOf(hash) === index;
        const walk = { rings, index, rate: 0, cameBack: false, concerns };
        const { keys, strays } = await this.#count(node, { ...walk, removes: false });
        if (strays === 0) return [];
        if (isSuspicious(keys, strays)) throw suspicious(node, keys, strays);
        const what = `keys of ${node.name} that it does not own, and that this change would bring to light`;
        if (looks) return [`${strays} ${what}, will be removed`];
        await this.#count(node, { ...walk, removes: true });
        return [`removed ${strays} ${what}`];
      }),
    );
    return warnings.flat();
  }

  #tick(): void {
    const stable = this.#options.stable();
    if (stable === null || this.#running !== null || this.#closed) return;
    for (const [identity, { node }] of this.#known) {
      if (!stable.nodes.some((member) => sameNode(member, node))) this.#known.delete(identity);
    }
    const shared = sharedServers(
      stable.nodes,
      stable.nodes.map((node) => this.#options.runId(node)),
    );
    this.#tellShared(shared.map(describeShared).join('; '));
    for (const [index, node] of stable.nodes.entries()) {
      const runId = this.#options.runId(node);
      if (shared.some((sharing) => sharing.includes(node))) continue;
      const known = this.#known.get(nodeKey(node));
      if (runId === null || runId === '' || known?.runId === runId) continue;
      const cameBack = known?.clean === true;
      this.#run(() => this.#look(node, { rings: stable.rings, index, cameBack }));
      return;
    }
  }

  #tellShared(what: string): void {
    if (what === this.#toldShared) return;
    this.#toldShared = what;
    if (what === '') this.#options.warn('no two nodes are one server any more');
    else this.#options.warn(`${what}: the ring is not changed, and no key removed, while that is so`);
  }

  /** Looks at a node that was not seen before, or was restarted, or has failed over. */
  async #look(node: Member, { rings, index, cameBack }: Pick<Walk, 'rings' | 'index' | 'cameBack'>): Promise<void> {
    const walk = { rings, index, cameBack, rate: BACKGROUND_RATE, concerns: () => true };
    const { strays } = await this.#walk(node, { ...walk, removes: false });
    if (this.#aborted) return;
    this.#tellOfNoNode(node);
    if (strays === 0) return;
    const found = `${node.name} (${node.address}) holds ${counted(strays, 'key')} that it does not own`;
    if (!cameBack) {
      this.#options.warn(`${found}: ringproxy ring check says more, ring check --fix removes them`);
      return;
    }
    const { nodes } = this.#options.stable() ?? { nodes: [] };
    const shared = sharedServers(nodes, await this.#options.runIds(nodes));
    if (shared.some((sharing) => sharing.some((other) => sameNode(other, node)))) return;
    await this.#walk(node, { ...walk, removes: true });
    const why = parseFollowed(node.address) === null ? 'was restarted' : 'was restarted or has failed over';
    this.#options.warn(`${found}, since it ${why} with what it had in the past: they are removed`);
  }

  #tellOfNoNode(node: Member): void {
    const { replicated = 0 } = this.#known.get(nodeKey(node))?.view ?? {};
    if (replicated === 0) return;
    const keys = counted(replicated, 'key');
    const found = `${node.name} (${node.address}) holds ${keys} of replicated groups, which clients do not see there`;
    this.#options.warn(
      `${found}: ringproxy ring check names some; a script with undeclared keys may have written them`,
    );
  }

  #run(work: () => Promise<void>): void {
    this.#aborted = false;
    this.#running = work().finally(() => {
      this.#running = null;
    });
  }

  /** Walks a node, and remembers what it finds; a failure is part of that. */
  async #walk(node: Member, walk: Walk): Promise<{ keys: number; strays: number }> {
    const known = this.#remember(node);
    try {
      const found = await this.#count(node, walk, known);
      known.view = { ...known.view, checkedAt: new Date().toISOString(), error: null };
      return found;
    } catch (error) {
      known.view = { ...known.view, error: messageOf(error) };
      return { keys: 0, strays: 0 };
    }
  }

  /** @throws NodeFailure, TransferRefused; RingproxyError CHANGE_RUNNING when strays are not removed to the end since the ring changes */
  #count(node: Member, walk: Walk, known: Known | null = null): Promise<{ keys: number; strays: number }> {
    const { upkeep } = this.#options;
    if (!walk.removes) return this.#countBy(node, walk, known, null);
    return upkeep.run(`removes strays of ${node.name}`, (signal) => this.#countBy(node, walk, known, signal));
  }

  async #countBy(
    node: Member,
    walk: Walk,
    known: Known | null,
    signal: AbortSignal | null,
  ): Promise<{ keys: number; strays: number }> {
    const link = await this.#options.open(node);
    const view = emptyView(node);
    let strays = 0;
    if (known !== null) known.view = view;
    const started = performance.now();
    try {
      const complete = await walkStrays(link, walk.index, walk.rings, walk.concerns, walk.removes, {
        goesOn: async () => {
          const due = walk.rate === 0 ? 0 : started + (view.keys / walk.rate) * 1000 - performance.now();
          if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
          if (signal?.aborted === true) return false;
          // Before a change of this proxy's nobody ends it: the change waits for it.
          return known === null || (!this.#aborted && this.#isStillSo(walk.rings));
        },
        looked: (keys) => {
          view.keys += keys;
        },
        isOfNoNode: this.#options.keysOfNoNode(),
        foundOfNoNode: (database, keys) => {
          view.replicated += keys.length;
          addExamples(view, database, keys);
        },
        found: (database, keys) => {
          strays += keys.length;
          note(view, walk, database, keys);
        },
      });
      if (known === null) return { keys: view.keys, strays };
      // Another proxy may have begun a change meanwhile: what is found then are keys that have moved.
      if (!complete || !this.#isStillSo(walk.rings)) return { keys: view.keys, strays: 0 };
      known.runId = link.runId;
      known.clean = strays === 0 || walk.removes;
      return { keys: view.keys, strays };
    } finally {
      link.close();
    }
  }

  /** Whether the ring is the one that a walk has begun with, and does not change. */
  #isStillSo(rings: Rings): boolean {
    return this.#options.stable()?.rings === rings;
  }

  #remember(node: Member): Known {
    const identity = nodeKey(node);
    const known = this.#known.get(identity) ?? { node, runId: '', clean: false, view: emptyView(node) };
    this.#known.set(identity, known);
    return known;
  }
}

function note(
  view: NodeStrays,
  { rings, index, removes, cameBack }: Walk,
  database: number,
  keys: readonly Buffer[],
): void {
  if (removes) view.removed += keys.length;
  else view.strays += keys.length;
  for (const key of keys) {
    view.causes[likelyCause(rings, rings.hashOf(key, 0, key.length), index, cameBack)]++;
  }
  addExamples(view, database, keys);
}

function addExamples({ examples }: NodeStrays, database: number, keys: readonly Buffer[]): void {
  const room = EXAMPLES - examples.length;
  examples.push(...keys.slice(0, room).map((key) => ({ database, key: key.toString('utf8', 0, EXAMPLE_BYTES) })));
}

function emptyView(node: Member): NodeStrays {
  return {
    node: node.name,
    address: node.address,
    checkedAt: null,
    keys: 0,
    strays: 0,
    removed: 0,
    replicated: 0,
    causes: { restart: 0, ejection: 0, other: 0 },
    examples: [],
    error: null,
  };
}

function isSuspicious(keys: number, strays: number): boolean {
  return strays > FEW && strays > keys / 2;
}

function suspicious(node: Member, keys: number, strays: number): RingproxyError {
  return new RingproxyError(
    'STRAY_KEYS',
    `${strays} of the ${counted(keys, 'key')} of ${node.name} (${node.address}) are not its own, and this change would bring them to light`,
  );
}
