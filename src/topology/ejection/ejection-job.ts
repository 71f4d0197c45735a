/** Taking nodes that fail out of the ring, and letting them come back, as a job of the fleet: one proxy looks for all. */
import type { Config } from '../../config/settings.js';
import { messageOf, RingproxyError } from '../../errors.js';
import type { Duty, Job } from '../../fleet/jobs/job.js';
import { type NodeIdentity, nodeKey, sameNode } from '../../node/identity.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { FleetRequest } from '../coordinator/ring-requests.js';
import { ejectedNow } from '../state/ejection.js';
import type { FleetMember } from '../state/fleet.js';
import { isByFleet, type RingState, unionOf } from '../state/ring-state.js';
import { type EjectionSettings, Judgement, type ProxyOpinion, type SaidOfNode, type Verdict } from './judgement.js';
import type { EjectionNotes } from './notes.js';
import { restartsOf } from './restarts.js';

export const EJECTION_JOB = 'ejection';

const LOOK_MS = 500;
/** What was refused is asked again so much later. */
const AGAIN_MS = 5000;
/** The same of a node that could not be emptied: it may have been loading its keys. */
const EMPTY_AGAIN_MS = 1000;
/** What a proxy has told longer ago than this does not count. Seconds. */
const HEARD_SECONDS = 10;

/** What is known of a node at this proxy. */
export interface SeenNode {
  readonly up: boolean;
  /** Its process has said what it is. */
  readonly runId: string | null;
  readonly error: string | null;
  /** ISO date; null: it is not down. */
  readonly downSince: string | null;
}

/** What other proxies have told. */
export interface Heard {
  /** What the proxies say for which the node is down. */
  opinionsOf(node: NodeIdentity): readonly ({ readonly proxy: string } & SaidOfNode)[];
  /** Of each other proxy: seconds since something was heard of it. */
  lags(): ReadonlyMap<string, number>;
}

export interface EjectionPorts {
  settings(): EjectionSettings & Pick<Config, 'onNodeRestart'>;
  memberId(): string;
  members(): Promise<readonly FleetMember[]>;
  /** The ring as it is recorded; null: it is not known. */
  state(): RingState | null;
  seen(node: NodeIdentity): SeenNode | null;
  /** Null: this proxy is alone. */
  readonly heard: Heard | null;
  /** @throws RingproxyError when it is refused */
  ask(request: FleetRequest): Promise<void>;
  /** What operators read of nodes that are left as they are. */
  readonly notes: EjectionNotes;
  warn(message: string): void;
}

export class EjectionJob implements Job {
  readonly name = EJECTION_JOB;
  readonly pace = 'slow';
  readonly stays = true;
  readonly #ports: EjectionPorts;
  readonly #timers: Pick<Timers, 'now' | 'every'>;

  constructor(ports: EjectionPorts, timers: Pick<Timers, 'now' | 'every'> = systemTimers) {
    this.#ports = ports;
    this.#timers = timers;
  }

  async run({ signal }: Duty): Promise<void> {
    const look = new Look(this.#ports, this.#timers);
    const end = this.#timers.every(LOOK_MS, () => look.now());
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    });
    end();
    await look.done;
    this.#ports.notes.clear();
  }
}

/** What is to be done. */
type Wanted = Exclude<Verdict, { kind: 'refuse' }>;

/** For as long as this proxy has the job: whoever has it next begins to count anew. */
class Look {
  readonly #ports: EjectionPorts;
  readonly #timers: Pick<Timers, 'now'>;
  readonly #judgement = new Judgement();
  #told = '';
  #notBefore = 0;
  /** Why a node that was restarted is not emptied yet. */
  #notEmptied: { readonly node: NodeIdentity; readonly why: string } | null = null;
  #emptiesNotBefore = 0;
  #looking: Promise<void> | null = null;

  constructor(ports: EjectionPorts, timers: Pick<Timers, 'now'>) {
    this.#ports = ports;
    this.#timers = timers;
  }

  /** @returns when nothing is under way */
  get done(): Promise<void> {
    return this.#looking ?? Promise.resolve();
  }

  now(): void {
    this.#looking ??= this.#look()
      .catch((error: unknown) => this.#tell(`nodes that fail cannot be judged: ${messageOf(error)}`))
      .finally(() => {
        this.#looking = null;
      });
  }

  async #look(): Promise<void> {
    const { seen, settings } = this.#ports;
    const state = this.#ports.state();
    if (state === null) return;
    const opinions = await this.#opinions(state);
    await this.#mendRestarts(state, opinions);
    const sight = {
      state,
      opinions,
      answers: (node: NodeIdentity) => seen(node)?.up === true && seen(node)?.runId !== null,
    };
    const verdict = this.#judgement.judge(sight, settings(), this.#timers.now());
    const { notes } = this.#ports;
    const held = this.#notEmptied;
    if (verdict?.kind === 'refuse') notes.stay(verdict.nodes, verdict.why);
    else notes.stay(held === null ? [] : [held.node], held?.why ?? '');
    if (verdict === null) {
      if (held === null) this.#told = '';
      return;
    }
    if (verdict.kind === 'refuse') return this.#tell(verdict.why);
    if (this.#timers.now() < this.#notBefore) return;
    await this.#do(verdict, state);
  }

  /** Nodes that were restarted are emptied where they stand; one that cannot be is down, and ejected in the end. */
  async #mendRestarts(state: RingState, opinions: readonly ProxyOpinion[]): Promise<void> {
    const { ask, seen, settings } = this.#ports;
    if (settings().onNodeRestart !== 'empty') return;
    const runningAt = (node: NodeIdentity): string | null => {
      const health = seen(node);
      return health?.up === true ? health.runId || null : null;
    };
    const { first, toEmpty } = restartsOf({ state, opinions, runningAt });
    if (!toEmpty.some(({ node }) => this.#notEmptied !== null && sameNode(node, this.#notEmptied.node)))
      this.#notEmptied = null;
    try {
      if (first.length > 0) await ask({ kind: 'processes', processes: first });
    } catch (error) {
      this.#tell(`it is not recorded which processes the nodes are: ${adviceOf(error)}`);
    }
    if (this.#timers.now() < this.#emptiesNotBefore) return;
    for (const { node, instead } of toEmpty) {
      try {
        await ask({ kind: 'empty', node, instead });
        this.#notEmptied = null;
      } catch (error) {
        const why = `${node.name} was restarted, and cannot be emptied yet: ${adviceOf(error)}`;
        this.#notEmptied = { node, why };
        this.#tell(why);
        this.#emptiesNotBefore = this.#timers.now() + EMPTY_AGAIN_MS;
      }
    }
  }

  async #do(verdict: Wanted, { generation, change }: RingState): Promise<void> {
    const { notes } = this.#ports;
    if (change !== null && (verdict.kind === 'eject' || verdict.kind === 'return')) {
      // One of the fleet's own is most likely the one that this asks for: it says what it does by itself.
      if (isByFleet(change)) return;
      return this.#tell(`${describeWanted(verdict)}: another change is under way (${change.summary})`);
    }
    try {
      await this.#ports.ask(requestFor(verdict, generation));
      this.#told = '';
      if (verdict.kind === 'return') notes.away(verdict.node, null);
    } catch (error) {
      if (verdict.kind === 'return') notes.away(verdict.node, `it cannot come back yet: ${adviceOf(error)}`);
      this.#tell(`${describeWanted(verdict)}: ${adviceOf(error)}`);
      this.#notBefore = this.#timers.now() + AGAIN_MS;
    }
    // One that was cancelled, too, has to answer anew.
    if (verdict.kind === 'return') this.#judgement.beginAnew(verdict.node);
  }

  async #opinions(state: RingState): Promise<ProxyOpinion[]> {
    const { heard, members, memberId, seen } = this.#ports;
    const nodes = [...unionOf(state.members, state.change?.members ?? []), ...ejectedNow(state)];
    const own = new Map<string, SaidOfNode>();
    for (const node of nodes) {
      const health = seen(node);
      if (health?.up === false) own.set(nodeKey(node), { since: health.downSince ?? '', why: health.error ?? '' });
    }
    if (heard === null) return [{ proxy: memberId(), down: own }];
    const live = (await members()).filter(({ alive, fencedOff }) => alive && !fencedOff);
    const lags = heard.lags();
    const said = nodes.flatMap((node) =>
      heard.opinionsOf(node).map(({ proxy, since, why }) => ({ key: nodeKey(node), proxy, since, why })),
    );
    return live.map(({ id: proxy }) => {
      if (proxy === memberId()) return { proxy, down: own };
      if ((lags.get(proxy) ?? Number.POSITIVE_INFINITY) > HEARD_SECONDS) return { proxy, down: null };
      const its = said.filter((opinion) => opinion.proxy === proxy);
      return { proxy, down: new Map(its.map(({ key, since, why }) => [key, { since, why }])) };
    });
  }

  #tell(message: string): void {
    if (message === this.#told) return;
    this.#told = message;
    this.#ports.warn(message);
  }
}

function namesOf(nodes: readonly { readonly name: string }[]): string {
  return nodes.map(({ name }) => name).join(', ');
}

/** As it is told when it cannot be. */
function describeWanted(verdict: Wanted): string {
  switch (verdict.kind) {
    case 'eject':
      return `${namesOf(verdict.nodes.map(({ node }) => node))} cannot be ejected yet`;
    case 'return':
      return `${verdict.node.name} answers again, and cannot come back yet`;
    case 'abandon':
      return `${verdict.node.name} has failed again while it came back, and cannot be given up yet`;
    case 'give up':
      return `${namesOf(verdict.nodes)} failed before all keys were handed over, and cannot be given up yet`;
  }
}

function requestFor(verdict: Wanted, generation: number): FleetRequest {
  switch (verdict.kind) {
    case 'eject':
      return {
        kind: 'eject',
        generation,
        nodes: verdict.nodes.map(({ node: { name, address }, why }) => ({ name, address, why })),
      };
    case 'return':
      return { kind: 'return', name: verdict.node.name, generation };
    case 'abandon':
      return { kind: 'abandon', name: verdict.node.name, why: verdict.why, generation };
    case 'give up':
      return { kind: 'resume', noDrain: true };
  }
}

/** What happened, and what helps. */
function adviceOf(error: unknown): string {
  return error instanceof RingproxyError ? `${error.message}; ${error.hint}` : messageOf(error);
}
