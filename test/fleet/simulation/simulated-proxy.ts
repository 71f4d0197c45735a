/** A proxy of a simulated fleet: the ring's manager as it is, with a simulated store, data plane, nodes and network. */
import { RingproxyError } from '../../../src/errors.js';
import type { PeerAsking, PeerReply } from '../../../src/topology/coordinator/forwarding.js';
import { EjectionNotes } from '../../../src/topology/ejection/notes.js';
import { OwnStanding } from '../../../src/topology/participant/own-standing.js';
import { RingManager } from '../../../src/topology/ring-manager.js';
import type { RingManagerHooks } from '../../../src/topology/ring-manager-hooks.js';
import type { MemberInfo } from '../../../src/topology/state/fleet.js';
import type { NewMember } from '../../../src/topology/state/ring-state.js';
import type { SimulatedNode } from './simulated-nodes.js';
import { askNode, type PlanePorts, SimulatedMover, SimulatedPlane } from './simulated-plane.js';
import { type SimulatedEtcd, SimulatedStore } from './simulated-store.js';
import { SimulatedProcess, type World } from './world.js';

const OPTIONS = { hash: 'murmur3', distribution: 'ketama', hashTag: '{}', vnodes: 8, weighting: 'own' } as const;
const INFO: MemberInfo = { admin: '', version: '1.0.0', workers: 1, startedAt: '2026-01-01T00:00:00.000Z', format: 1 };
const KEYS = 200;
/** Each proxy has a command so often, on the average. */
const COMMAND_MS = 400;

export interface Simulation {
  readonly world: World;
  readonly etcd: SimulatedEtcd;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  /** All that were ever started. */
  readonly proxies: SimulatedProxy[];
}

export class SimulatedProxy {
  readonly id: string;
  readonly process: SimulatedProcess;
  readonly plane: SimulatedPlane;
  readonly manager: RingManager;
  readonly warnings: string[] = [];
  readonly #store: SimulatedStore;
  readonly #simulation: Simulation;

  constructor(simulation: Simulation) {
    const number = simulation.proxies.length + 1;
    this.#simulation = simulation;
    this.id = number.toString(16).padStart(12, '0');
    this.process = new SimulatedProcess(`proxy${number}`, simulation.world);
    this.#store = new SimulatedStore(simulation.etcd, this.process);
    const standing = new OwnStanding(this.id, () => ({
      store: this.#store,
      consistency: () => this.manager.consistency,
      onFencedOff: () => {
        standing.revoke();
        this.plane.dropAll();
      },
    }));
    const ports: PlanePorts = { process: this.process, nodes: simulation.nodes, standing: () => standing };
    this.plane = new SimulatedPlane(ports);
    this.manager = this.process.within(() => new RingManager(() => this.id, this.#store, this.#hooks(ports)));
    simulation.proxies.push(this);
  }

  get isRunning(): boolean {
    return this.process.isRunning;
  }

  /** Joins the ring, or makes it, and serves. */
  start(nodes: readonly NewMember[]): Promise<void> {
    return this.process.within(async () => {
      await this.#store.open();
      await this.manager.bootstrap(nodes, OPTIONS, {
        former: null,
        remembered: null,
        consistency: 'strict',
        waits: true,
      });
      this.#work();
    });
  }

  kill(): void {
    this.process.end();
    this.#store.end();
  }

  #work(): void {
    const { world } = this.#simulation;
    this.process.timers.after(world.random.below(2 * COMMAND_MS), () => {
      this.plane.command(`key:${world.random.below(KEYS)}`);
      this.#work();
    });
  }

  #hooks(ports: PlanePorts): RingManagerHooks {
    const each = async (addresses: readonly string[], ask: (node: SimulatedNode) => void): Promise<void> => {
      await Promise.all(addresses.map((address) => askNode(ports, address, ask)));
    };
    const facts = { role: 'master', clusterEnabled: false, keys: 0, version: '7.0.0', usedMemory: 0 };
    const memory = { startupMemory: 0, maxMemory: 0, maxMemoryPolicy: 'noeviction', databasesInUse: 0 };
    return {
      master: () => null,
      ejectionNotes: new EjectionNotes(),
      memberInfo: () => INFO,
      publish: (snapshot) => this.plane.publish(snapshot),
      noted: () => {},
      fence: (timeout) => this.plane.fence(timeout),
      killLateConnections: (nodes) => this.plane.killLateConnections(nodes),
      killPredecessors: (nodes, proxies) =>
        each(
          nodes.map(({ address }) => address),
          (node) => node.dropOf(proxies),
        ),
      killEarlierMovers: (nodes, source, claim) =>
        each(
          nodes.map(({ address }) => address),
          (node) => node.dropMovers(source.id, claim.revision),
        ),
      onSourceSwept: () => {},
      createMover: (start, callbacks) => new SimulatedMover(ports, start, callbacks),
      runIds: (nodes) => Promise.resolve(nodes.map(({ name }) => `run of ${name}`)),
      inspect: (node) => Promise.resolve({ ...facts, ...memory, runId: node.name, impairment: null }),
      examine: () => Promise.resolve({ lacking: [], databases: 16, settings: new Map() }),
      takesValuesOf: () => Promise.resolve(null),
      databases: 16,
      speaksTls: () => false,
      health: () => null,
      peers: this.#peers(),
      strangers: { connections: () => Promise.resolve([]), known: () => Promise.resolve([]) },
      survey: () => Promise.resolve({ largest: [], keys: 0, complete: true, unseen: [] }),
      clearStrays: () => Promise.resolve([]),
      bringFunctions: () => Promise.resolve(),
      empty: () => Promise.resolve(''),
      flush: () => Promise.resolve(),
      warn: (message) => void this.warnings.push(message),
      info: () => {},
      debug: () => {},
    };
  }

  #peers(): PeerAsking {
    const { process } = this;
    const { world } = process;
    return {
      ask: (member, _path, body, timeout) =>
        new Promise<PeerReply>((resolve) => {
          const settle = (reply: PeerReply): void => process.take(() => resolve(reply));
          const late = world.after(timeout, () =>
            settle({ ok: false, failure: { kind: 'timed out', message: 'no answer in time', error: null } }),
          );
          const other = this.#simulation.proxies.find(({ id }) => id === member);
          if (other === undefined) return;
          world.send(process.name, other.process.name, () =>
            other.process.take(() => {
              void other.#answer(body).then((reply) =>
                world.send(other.process.name, process.name, () => {
                  late();
                  settle(reply);
                }),
              );
            }),
          );
        }),
    };
  }

  async #answer(body: object): Promise<PeerReply> {
    try {
      return { ok: true, body: await this.manager.answerPeer(body) };
    } catch (error) {
      const { code, message, hint } =
        error instanceof RingproxyError ? error : { code: 'INTERNAL', message: String(error), hint: '' };
      return { ok: false, failure: { kind: 'own error', message, error: { code, message, hint: hint ?? '' } } };
    }
  }
}
