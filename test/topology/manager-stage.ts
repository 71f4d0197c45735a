/** A ring's manager with nodes, a data plane and a mover that do what a test tells them. */
import type { ChangeRequest, OwnRingView } from '../../src/admin/api.js';
import type { SourceProgress } from '../../src/rebalance/mover.js';
import type { NodeSpec } from '../../src/ring/node-spec.js';
import { EjectionNotes } from '../../src/topology/ejection/notes.js';
import type { MoverCallbacks, MoverStart } from '../../src/topology/jobs/mover-start.js';
import type { SourceMover } from '../../src/topology/jobs/source-move.js';
import type { MemberSnapshot } from '../../src/topology/participant/local-ring.js';
import { RingManager } from '../../src/topology/ring-manager.js';
import type { RingManagerHooks } from '../../src/topology/ring-manager-hooks.js';
import type { FenceMember } from '../../src/topology/state/change-protocol.js';
import type { RingStore } from '../../src/topology/store/ring-store.js';

export const OPTIONS = {
  hash: 'murmur3',
  distribution: 'ketama',
  hashTag: '{}',
  vnodes: 16,
  weighting: 'own',
} as const;
export const NODES: readonly NodeSpec[] = ['a', 'b'].map((name, i) => ({
  name,
  address: `127.0.0.1:${i + 1}`,
  weight: 1,
}));
export const ADD_C: ChangeRequest = { kind: 'add', add: [{ name: 'c', address: '127.0.0.1:3' }] };

/** Moves nothing; a test ends its sweep. */
export class FakeMover implements SourceMover {
  readonly start: MoverStart;
  readonly #callbacks: MoverCallbacks;
  #keysMoved = 0;
  paused = false;
  keysPerSecond = 0;
  bytesMoved = 0;
  error: string | null = null;
  isSweeping = false;
  isStopped = false;
  held: 'sweep' | 'all' | null = null;
  /** What `hold` answers. */
  holds = true;
  leavesLate = false;
  /** What `stop` waits for. */
  stopping: Promise<void> = Promise.resolve();

  constructor(start: MoverStart, callbacks: MoverCallbacks) {
    this.start = start;
    this.#callbacks = callbacks;
  }

  get source(): string {
    return this.start.nodes[this.start.source]?.name ?? '';
  }

  get progress(): SourceProgress {
    return { node: this.source, done: false, keysMoved: this.#keysMoved, keysScanned: 0, largeKey: null };
  }

  /** The source is swept. @returns whether that counts */
  swept(): Promise<boolean> {
    return this.#callbacks.onSwept();
  }

  moved(keys: number): void {
    this.#keysMoved += keys;
    this.#callbacks.onMoved(this.source, 'c', keys, keys * 10);
    this.bytesMoved += keys * 10;
  }

  dropped(keys: number): void {
    this.#callbacks.onDropped(keys);
  }

  firstSeen(index: number, runId: string): Promise<void> {
    return this.#callbacks.onFirstSeen(index, runId);
  }

  sweep(): Promise<void> {
    this.isSweeping = true;
    return Promise.resolve();
  }

  hold(what: 'sweep' | 'all'): Promise<boolean> {
    this.held = what;
    return Promise.resolve(this.holds);
  }

  release(): void {
    this.held = null;
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

  stop(): Promise<void> {
    this.isStopped = true;
    return this.stopping;
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
}

export interface Stage {
  readonly manager: RingManager;
  readonly movers: FakeMover[];
  readonly snapshots: MemberSnapshot[];
  readonly warnings: string[];
  /** What each call of the nodes and the data plane asks for, in order. */
  readonly calls: string[];
  /** What they answer; may be changed at any time. */
  readonly answers: {
    fence: () => Promise<FenceMember[]>;
    killLateConnections: () => Promise<void>;
    killPredecessors: (nodes: readonly NodeSpec[], proxies: readonly string[]) => Promise<void>;
    killEarlierMovers: () => Promise<void>;
    /** Of a node's process; empty: it does not say. */
    runId: (node: string) => string;
  };
  /** Called whenever something happens. */
  onCall: (view: OwnRingView | null) => void;
}

/** @param store opened */
export function stageManager(proxyId: string, store: RingStore, peers: RingManagerHooks['peers'] = null): Stage {
  const facts = { runId: '', role: 'master', clusterEnabled: false, keys: 0, version: '7.0.0', usedMemory: 0 };
  const memory = { startupMemory: 0, maxMemory: 0, maxMemoryPolicy: 'noeviction', databasesInUse: 0, impairment: null };
  const call = (name: string): void => {
    stage.calls.push(name);
    stage.onCall(stage.manager.generation === 0 ? null : stage.manager.view());
  };
  const hooks: RingManagerHooks = {
    master: () => null,
    ejectionNotes: new EjectionNotes(),
    memberInfo: () => ({
      admin: peers === null ? '' : `http://${proxyId}`,
      version: '1.0.0',
      workers: 1,
      startedAt: '2026-01-01T00:00:00.000Z',
      format: 1,
    }),
    publish: (snapshot) => {
      stage.snapshots.push(snapshot);
      call(`publish ${snapshot.phase}${snapshot.moves === null ? '' : ' moves'}`);
    },
    fence: () => {
      call('fence');
      return stage.answers.fence();
    },
    killLateConnections: () => {
      call('kill late');
      return stage.answers.killLateConnections();
    },
    killPredecessors: (nodes, proxies) => {
      call(`kill ${proxies.join(' ')}`);
      return stage.answers.killPredecessors(nodes, proxies);
    },
    killEarlierMovers: (_nodes, source) => {
      call(`kill movers of ${source.name}`);
      return stage.answers.killEarlierMovers();
    },
    onSourceSwept: () => {},
    createMover: (start, callbacks) => {
      const mover = new FakeMover(start, callbacks);
      call(`mover of ${mover.source}`);
      stage.movers.push(mover);
      return mover;
    },
    runIds: (nodes) => Promise.resolve(nodes.map(({ name }) => stage.answers.runId(name))),
    inspect: (node) => Promise.resolve({ ...facts, ...memory, runId: node.name }),
    examine: () => Promise.resolve({ lacking: [], databases: 16, settings: new Map() }),
    takesValuesOf: () => Promise.resolve(null),
    databases: 16,
    health: () => null,
    speaksTls: () => false,
    peers,
    noted: () => {},
    survey: () => Promise.resolve({ largest: [], keys: 0, complete: true, unseen: [] }),
    strangers: { connections: () => Promise.resolve([]), known: () => Promise.resolve([]) },
    clearStrays: () => Promise.resolve([]),
    bringFunctions: () => Promise.resolve(),
    flush: () => Promise.resolve(),
    empty: (node) => Promise.resolve(stage.answers.runId(node.name)),
    warn: (message) => void stage.warnings.push(message),
    info: () => {},
    debug: () => {},
  };
  const stage: Stage = {
    manager: new RingManager(() => proxyId, store, hooks),
    movers: [],
    snapshots: [],
    warnings: [],
    calls: [],
    answers: {
      fence: () => Promise.resolve([{ acknowledged: true, why: '' }]),
      killLateConnections: () => Promise.resolve(),
      killPredecessors: () => Promise.resolve(),
      killEarlierMovers: () => Promise.resolve(),
      runId: (node) => `run of ${node}`,
    },
    onCall: () => {},
  };
  return stage;
}
