/** A data plane and movers that speak to simulated nodes by the rules of the real ones, without any data. */
import type { ProxyStanding } from '../../../src/node/standing.js';
import type { SourceProgress } from '../../../src/rebalance/mover.js';
import type { MoverCallbacks, MoverStart } from '../../../src/topology/jobs/mover-start.js';
import type { SourceMover } from '../../../src/topology/jobs/source-move.js';
import type { MemberSnapshot } from '../../../src/topology/participant/local-ring.js';
import type { FenceMember } from '../../../src/topology/state/change-protocol.js';
import type { Member } from '../../../src/topology/state/ring-state.js';
import type { SimulatedNode } from './simulated-nodes.js';
import type { SimulatedProcess } from './world.js';

/** A command without an answer for so long: its connection is given up. */
const REQUEST_MS = 1000;
const NODE_MS = 1000;
/** Between two attempts to open a connection. */
const RETRY_MS = 200;
/** A source is moved in so many batches, which take so long each. */
const BATCHES = 10;
const BATCH_MS = 40;

export interface PlanePorts {
  readonly process: SimulatedProcess;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  standing(): ProxyStanding;
}

interface Command {
  readonly key: string;
  /** Null: it is held. */
  connection: Connection | null;
}

let connections = 0;

/** A connection of the proxy's own. */
class Connection {
  readonly id = ++connections;
  readonly member: string;
  readonly node: SimulatedNode;
  state: 'opening' | 'open' | 'closed' = 'opening';
  readonly inFlight = new Set<Command>();

  constructor(member: string, node: SimulatedNode) {
    this.member = member;
    this.node = node;
  }
}

export class SimulatedPlane {
  readonly #ports: PlanePorts;
  #snapshot: MemberSnapshot | null = null;
  #held: Command[] = [];
  readonly #open = new Map<string, Connection>();
  /** Given up with commands in flight, which may run yet. */
  #late: Connection[] = [];
  readonly #waiting = new Set<() => void>();
  answered = 0;

  constructor(ports: PlanePorts) {
    this.#ports = ports;
  }

  publish(snapshot: MemberSnapshot): void {
    this.#snapshot = snapshot;
    for (const command of this.#held.splice(0)) this.#dispatch(command);
  }

  command(key: string): void {
    this.#dispatch({ key, connection: null });
  }

  /** As the fence of the real one: nothing is in flight on a moved key. */
  async fence(timeout: number): Promise<FenceMember[]> {
    const { timers } = this.#ports.process;
    let isLate = false;
    const end = timers.after(timeout, () => {
      isLate = true;
      this.#wake();
    });
    while (this.#holdsUp() && !isLate) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    end();
    return [this.#holdsUp() ? { acknowledged: false, why: 'commands are in flight' } : { acknowledged: true, why: '' }];
  }

  /** @throws Error when a node cannot be asked */
  async killLateConnections(nodes: readonly Member[]): Promise<void> {
    for (const { address } of nodes) {
      const ids = this.#late.filter(({ node }) => node.address === address).map(({ id }) => id);
      if (ids.length === 0) continue;
      await askNode(this.#ports, address, (node) => node.drop(({ id }) => ids.includes(id)));
      this.#late = this.#late.filter(({ id }) => !ids.includes(id));
    }
  }

  /** This proxy counts no more: nothing that it had goes on. */
  dropAll(): void {
    for (const connection of this.#open.values()) this.#close(connection);
    this.#open.clear();
  }

  #isMoved(key: string): boolean {
    if (this.#snapshot === null) return true;
    const { rings } = this.#snapshot;
    const bytes = Buffer.from(key);
    return rings.movesAway(rings.hashOf(bytes, 0, bytes.length));
  }

  #holdsUp(): boolean {
    for (const { inFlight } of this.#open.values()) {
      for (const { key } of inFlight) if (this.#isMoved(key)) return true;
    }
    return false;
  }

  #dispatch(command: Command): void {
    const snapshot = this.#snapshot;
    if (snapshot === null || (this.#isMoved(command.key) && snapshot.phase !== 'stable' && snapshot.moves === null)) {
      this.#held.push(command);
      return;
    }
    const { rings, nodes, phase } = snapshot;
    const bytes = Buffer.from(command.key);
    const hash = rings.hashOf(bytes, 0, bytes.length);
    const owner = nodes[phase === 'moving' ? rings.nextOwnerOf(hash) : rings.ownerOf(hash)];
    const node = this.#ports.nodes.get(owner?.address ?? '');
    if (node === undefined) throw new Error(`there is no node ${owner?.address}`);
    const connection = this.#connectionTo(node);
    command.connection = connection;
    connection.inFlight.add(command);
    if (connection.state === 'open') this.#send(command, connection);
  }

  #connectionTo(node: SimulatedNode): Connection {
    const known = this.#open.get(node.address);
    if (known !== undefined) return known;
    const connection = new Connection(this.#ports.standing().id, node);
    this.#open.set(node.address, connection);
    void this.#connect(connection);
    return connection;
  }

  /** First the name, then a look whether it still counts, then commands. */
  async #connect(connection: Connection): Promise<void> {
    const { id, member, node } = connection;
    const { timers } = this.#ports.process;
    const pause = (): Promise<void> => new Promise((resolve) => timers.after(RETRY_MS, resolve));
    for (;;) {
      try {
        await askNode(this.#ports, node.address, (asked) => asked.accept({ id, name: `ringproxy:${member}` }));
        const standing = this.#ports.standing();
        const ruling = standing.holds(member) ? 'speak' : await standing.ask(member);
        if (connection.state === 'closed') return;
        if (ruling === 'speak') break;
        if (ruling === 'fenced-off') return this.#close(connection);
      } catch {
        // The node does not answer: again.
      }
      await pause();
      if (connection.state === 'closed') return;
    }
    connection.state = 'open';
    for (const command of [...connection.inFlight]) this.#send(command, connection);
  }

  #send(command: Command, connection: Connection): void {
    const { process } = this.#ports;
    const { world } = process;
    const { node } = connection;
    const endTimer = process.timers.after(REQUEST_MS, () => this.#giveUp(connection));
    world.send(process.name, node.address, () => {
      const hasRun = node.execute(connection.id, command.key);
      world.send(node.address, process.name, () =>
        process.take(() => {
          endTimer();
          if (!hasRun) return this.#close(connection);
          this.answered++;
          connection.inFlight.delete(command);
          this.#wake();
        }),
      );
    });
  }

  #giveUp(connection: Connection): void {
    if (connection.state === 'closed') return;
    this.#late.push(connection);
    this.#close(connection);
  }

  /** Nobody knows what became of what was in flight; commands that were not sent go elsewhere. */
  #close(connection: Connection): void {
    if (connection.state === 'closed') return;
    const wasOpen = connection.state === 'open';
    connection.state = 'closed';
    if (this.#open.get(connection.node.address) === connection) this.#open.delete(connection.node.address);
    const commands = [...connection.inFlight];
    connection.inFlight.clear();
    if (!wasOpen) for (const command of commands) this.#held.push(command);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** @throws Error when the node does not answer */
export function askNode<T>(
  { process, nodes }: Pick<PlanePorts, 'process' | 'nodes'>,
  address: string,
  ask: (node: SimulatedNode) => T,
): Promise<T> {
  const node = nodes.get(address);
  if (node === undefined) return Promise.reject(new Error(`there is no node ${address}`));
  return process.ask(address, () => ask(node), NODE_MS);
}

/** Moves a source in a few batches, by connections that bear its right. */
export class SimulatedMover implements SourceMover {
  readonly #ports: PlanePorts;
  readonly #start: MoverStart;
  readonly #callbacks: MoverCallbacks;
  readonly #connection = ++connections;
  #isConnected = false;
  #isStopped = false;
  #held: 'sweep' | 'all' | null = null;
  #done = 0;
  #isSwept = false;
  /** A batch is under way. */
  #working: Promise<void> = Promise.resolve();
  paused = false;
  keysPerSecond = 0;
  error: string | null = null;
  readonly leavesLate = false;

  constructor(ports: PlanePorts, start: MoverStart, callbacks: MoverCallbacks) {
    this.#ports = ports;
    this.#start = start;
    this.#callbacks = callbacks;
  }

  get bytesMoved(): number {
    return this.#done;
  }

  get progress(): SourceProgress {
    const node = this.#source?.name ?? '';
    return { node, done: this.#isSwept, keysMoved: this.#done, keysScanned: this.#done, largeKey: null };
  }

  get #source(): Member | undefined {
    return this.#start.nodes[this.#start.source];
  }

  async sweep(): Promise<void> {
    const { timers } = this.#ports.process;
    while (this.#done < BATCHES && !this.#isStopped) {
      if (!this.paused && this.#held === null) {
        this.#working = this.#batch();
        await this.#working;
      }
      await new Promise<void>((resolve) => timers.after(BATCH_MS, resolve));
    }
    if (this.#isStopped) return;
    this.#isSwept = true;
    await this.#callbacks.onSwept();
  }

  async hold(what: 'sweep' | 'all'): Promise<boolean> {
    this.#held = what;
    await this.#working;
    return true;
  }

  release(): void {
    this.#held = null;
  }

  throttle(keysPerSecond: number): void {
    this.keysPerSecond = keysPerSecond;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#working;
  }

  runIdOf(): string {
    return '';
  }

  giveUp(): void {}
  forget(): void {}
  settle(): void {}
  noteGone(): void {}

  dropLateConnections(): Promise<void> {
    return Promise.resolve();
  }

  async #batch(): Promise<void> {
    const { right } = this.#start;
    const address = this.#source?.address ?? '';
    const name = `ringproxy-move:${right.holder}.${right.source}.${right.revision}`;
    const id = this.#connection;
    try {
      if (!this.#isConnected) {
        await askNode(this.#ports, address, (node) => node.accept({ id, name }));
        const standing = this.#ports.standing();
        const ruling = standing.holds(right.holder) ? 'speak' : await standing.ask(right.holder);
        if (ruling !== 'speak') return;
        this.#isConnected = true;
      }
      if (await askNode(this.#ports, address, (node) => node.move(id, right))) this.#done++;
      else this.#isStopped = true;
    } catch {
      // It may have been carried out; it is repeated.
    }
  }
}
