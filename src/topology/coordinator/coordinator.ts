/**
 * Carries changes of the ring out: looks whether they may be, raises fences, and records each step (`transitions.ts`).
 * Every proxy that serves the ring follows what is recorded, this one as well.
 */
import { randomUUID } from 'node:crypto';
import type { ChangeAccepted, ChangeRequest } from '../../admin/api.js';
import { RingproxyError } from '../../errors.js';
import { sameNode } from '../../node/identity.js';
import type { RingBuilder } from '../change-rings.js';
import { SETTLE_STOP_MS, SWEEP_STOP_MS } from '../fence-times.js';
import type { ChangeMover, MoveJob } from '../jobs/move-job.js';
import type { LocalRing } from '../participant/local-ring.js';
import type { Participant } from '../participant/participant.js';
import { afterFence } from '../state/change-protocol.js';
import type { Revision } from '../state/fleet.js';
import type { Member, NodeProcess, RingState, RunningChange } from '../state/ring-state.js';
import { finish, giveUp, goOn, move, note, prepare, turn, turnRound } from '../state/transitions.js';
import type { RingStore } from '../store/ring-store.js';
import { type PlanPorts, planChange } from './change-plan.js';
import { passFence } from './fence.js';
import { historyEntry } from './history-entry.js';
import type { Recorder } from './recorder.js';
import { changeRunning, messageOf, noChange, notPassed, tooLate } from './refusals.js';
import { describeRequest } from './request.js';

const GIVEN_UP = 'the change was given up, nothing has moved';
const GOES_ON = 'the change was not turned round, it goes on as before';

export interface CoordinatorPorts extends PlanPorts {
  /** Makes the nodes drop all connections of these proxies. @throws when a node cannot be asked */
  killPredecessors(nodes: readonly Member[], proxies: readonly string[]): Promise<void>;
  /** The run ids of the nodes' processes; empty where one does not say, or not at once. */
  runIds(nodes: readonly Member[]): Promise<string[]>;
  /** Gives a node the functions that the members have. @throws RingproxyError when it cannot take them */
  bringFunctions(members: readonly Member[], node: Member): Promise<void>;
  /** Removes every key of a node that is to join. */
  flush(node: Member): Promise<void>;
  warn(message: string): void;
  debug(message: string): void;
}

/** A change that is under way, as it was looked at. */
interface Running extends LocalRing {
  readonly change: NonNullable<LocalRing['change']>;
  readonly record: RunningChange;
}

export class Coordinator {
  readonly #proxyId: string;
  readonly #store: RingStore;
  readonly #recorder: Recorder;
  readonly #participant: Participant;
  readonly #rings: RingBuilder;
  readonly #ports: CoordinatorPorts;
  /** A decision is under way: a second one waits for nobody, it is refused. */
  #busy = false;
  /** Everything has moved, and that is being recorded: too late to turn round. */
  #finishing = false;

  constructor(
    proxyId: string,
    store: RingStore,
    recorder: Recorder,
    participant: Participant,
    rings: RingBuilder,
    ports: CoordinatorPorts,
  ) {
    this.#proxyId = proxyId;
    this.#store = store;
    this.#recorder = recorder;
    this.#participant = participant;
    this.#rings = rings;
    this.#ports = ports;
  }

  /** A change is being looked at, begun, turned round or ended. */
  get isDeciding(): boolean {
    return this.#busy || this.#finishing;
  }

  /** Begins a change. @throws RingproxyError with the reason when it is refused */
  async begin(request: ChangeRequest): Promise<ChangeAccepted> {
    const { stored } = this.#local();
    const { state } = stored;
    if (state.change !== null || this.#busy) {
      throw changeRunning(state.change?.summary ?? 'it is just being prepared');
    }
    // A dry run changes nothing: whoever looks at what would move keeps nobody from looking, or from doing it.
    if (request.dryRun === true) return (await planChange(request, state, this.#rings, this.#ports)).accepted;
    return this.#alone(async () => {
      const plan = await planChange(request, state, this.#rings, this.#ports);
      const change: Omit<RunningChange, 'phase'> = {
        id: randomUUID(),
        kind: request.kind,
        members: plan.members,
        startedAt: new Date().toISOString(),
        summary: describeRequest(request),
        undrained: plan.undrained,
        processes: [],
        throttle: request.throttle ?? 0,
      };
      await this.#store.rehearse(move(prepare(state, change), []));
      // Only now, behind every check: what is flushed does not come back.
      for (const node of plan.toFlush) await this.#ports.flush(node);
      for (const node of plan.arriving) await this.#ports.bringFunctions(state.members, node);
      for (const warning of plan.accepted.warnings) this.#ports.warn(warning);
      await this.#prepare(change);
      return plan.accepted;
    });
  }

  /**
   * Turns the running change round: everything goes back to where it was.
   * @throws RingproxyError when that cannot be; then the change goes on as before
   */
  async cancel(): Promise<void> {
    const mover = this.mover();
    if (this.#busy) throw noChange();
    const running = this.#running();
    this.#refuseTurning(running.record);
    await this.#alone(() => this.#turnRound(running, mover));
  }

  /** What `cancel` would move back, if nothing moved on until then. @throws RingproxyError as `cancel` does */
  previewCancel(): ChangeAccepted {
    this.mover();
    const { stored, record, change } = this.#running();
    this.#refuseTurning(record);
    const moves = change.rings.movesBack();
    return { generation: stored.state.generation + 2, dryRun: true, warnings: [], moves, survey: null };
  }

  /** Gives up the keys of nodes that do not answer. @throws RingproxyError when there is none */
  async giveUpDead(): Promise<void> {
    const mover = this.mover();
    if (this.#busy) throw changeRunning('it is just being turned round');
    await this.#alone(async () => {
      const { record, change } = this.#running();
      const unfinished = mover.progress.filter((source) => !source.done).map((source) => source.node);
      const dead = change.union.filter(
        (node) => unfinished.includes(node.name) && this.#ports.health(node)?.up === false,
      );
      if (dead.length === 0) {
        throw new RingproxyError('NOTHING_TO_GIVE_UP', 'every node that keys are moved off answers');
      }
      const names = dead.map((node) => node.name);
      // Recorded before it counts: after a restart, too, nothing is asked of these nodes.
      await this.#record((state) => note(state, record.id, { undrained: [...record.undrained, ...names] }));
      this.#ports.warn(`the keys that ${names.join(', ')} did not hand over are given up: they read as missing`);
      mover.giveUp(dead.map((node) => change.union.indexOf(node)));
    });
  }

  /** Every source of the job is swept. */
  async finish(job: MoveJob): Promise<void> {
    const { stored } = this.#local();
    const { change } = stored.state;
    // Turned round in the meantime.
    if (change?.id !== job.changeId) return;
    this.#finishing = true;
    // Clients are served meanwhile: every moved key is where both rings look for it.
    const revision = await this.#recorder.changeAtLast(
      (state) => (state.change?.id === job.changeId ? finish(state) : state),
      (error) => {
        if (job.failure === null) {
          this.#ports.warn(`${change.summary}: everything has moved, but not recorded yet: ${messageOf(error)}`);
        }
        job.failure = messageOf(error);
      },
    );
    this.#finishing = false;
    if (revision === null) return;
    await this.#participant.reached(revision);
    await job.stop();
    const { keysDropped, keysMoved } = job;
    const generation = stored.state.generation + 1;
    await this.addHistory({ ...change, generation, keysMoved, keysDropped, bytesMoved: job.status.bytesMoved });
    if (keysDropped > 0) this.#ports.warn(`${change.summary}: ${describeDropped(keysDropped)}`);
    this.#ports.debug(`${change.summary}: done, ${keysMoved} keys moved, generation ${generation}`);
  }

  /** The ring itself is what must not be lost: a history that cannot be written is only told of. */
  async addHistory(done: Parameters<typeof historyEntry>[0]): Promise<void> {
    await this.#store.addHistory(historyEntry(done, this.#proxyId)).catch((error: unknown) => {
      this.#ports.warn(`the history of changes could not be written: ${messageOf(error)}`);
    });
  }

  /** What moves keys. @throws RingproxyError when no change is under way, or keys do not move yet */
  mover(): ChangeMover {
    const { stored, job } = this.#local();
    if (stored.state.change === null) throw noChange();
    if (job !== null && job.mover !== null) return job.mover;
    throw new RingproxyError('CHANGE_PREPARING', 'the change is just beginning: keys do not move yet');
  }

  /** Holds commands on moved keys until none is in flight; then keys move. @throws RingproxyError when it is given up */
  async #prepare(change: Omit<RunningChange, 'phase'>): Promise<void> {
    let raised: Revision;
    try {
      raised = await this.#record((state) => prepare(state, change));
    } catch (error) {
      throw notPassed(GIVEN_UP, error);
    }
    const failure = await this.#pass(raised, null, (state, processes) => move(state, processes));
    if (failure === null) this.#bringFunctionsAgain();
    // The held commands run first: what is wrong may be the store itself. Should it have kept the record all the same,
    // a restart goes forward, which is as right, since nothing has moved.
    else throw notPassed(GIVEN_UP, failure);
  }

  /** @param mover that of `running`, which goes on as it was when the fence is not passed */
  async #turnRound(running: Running, mover: ChangeMover): Promise<void> {
    const { job } = running;
    const identity = { id: randomUUID(), startedAt: new Date().toISOString() };
    await this.#store.rehearse(turnRound(turn(running.stored.state), identity, {}));
    try {
      const isStill = await mover.hold(SWEEP_STOP_MS, SETTLE_STOP_MS);
      // It may have come to its end while it was waited for.
      if (this.#local().job !== job) throw noChange();
      if (this.#finishing) throw tooLate();
      if (!isStill) throw notPassed(GOES_ON, new Error(mover.error ?? 'keys are under way that do not arrive'));
      // Moved keys are held where they are: nothing moves, and nobody knows yet in which direction it will.
      const raised = await this.#record(turn);
      const failure = await this.#pass(raised, mover, (state, processes) =>
        turnRound(state, identity, { processes, throttle: mover.keysPerSecond, keysDropped: job?.keysDropped }),
      );
      if (failure !== null) throw notPassed(GOES_ON, failure);
    } catch (error) {
      mover.release();
      throw error;
    }
    this.#bringFunctionsAgain();
    await job?.stop();
  }

  /**
   * Makes sure that no command on a moved key is under way anywhere, and records what follows: that keys move, or else
   * that all is as it was.
   * @param raised the revision of the record that has raised the fence
   * @param turned the mover of the change that is turned round, or null
   * @param then the step when it is passed; after that record, the change only goes forward
   * @returns why that failed, or null
   */
  async #pass(
    raised: Revision,
    turned: ChangeMover | null,
    then: (state: RingState, processes: readonly NodeProcess[]) => RingState,
  ): Promise<unknown> {
    const { record, change, job } = this.#running();
    const nodes = change.union.filter((node) => !record.undrained.includes(node.name));
    try {
      await passFence(raised, nodes, {
        store: this.#store,
        killPredecessors: (...killed) => this.#ports.killPredecessors(...killed),
        dropLateMoves: () => turned?.dropLateConnections() ?? Promise.resolve(),
      });
      const processes = await this.#processesOf(record, change.union, job);
      await this.#record((state) => then(state, processes));
      return null;
    } catch (error) {
      const undo = afterFence(false, turned !== null) === 'give up' ? giveUp : goOn;
      const revision = await this.#recorder.changeAtLast(
        (state) => (state.change?.id === record.id && state.change.phase === record.phase ? undo(state) : state),
        (failure) => this.#ports.warn(`${record.summary}: keys are held, ${messageOf(failure)}`),
      );
      if (revision !== null) await this.#participant.reached(revision);
      return error;
    }
  }

  /** Those of the first fence: what a node has that was restarted since then may be from the past. */
  async #processesOf(
    change: RunningChange,
    union: readonly Member[],
    job: MoveJob | null,
  ): Promise<readonly NodeProcess[]> {
    if (change.processes.length > 0) return job?.processes ?? change.processes;
    const runIds = await this.#ports.runIds(union);
    return union.map(({ name, address }, index) => ({ name, address, runId: runIds[index] ?? '' }));
  }

  /** What was loaded just before clients' FUNCTION LOAD went to the new nodes as well. */
  #bringFunctionsAgain(): void {
    const { members, change } = this.#local().stored.state;
    for (const node of change?.members ?? []) {
      if (members.some((member) => sameNode(member, node))) continue;
      void this.#ports.bringFunctions(members, node).catch((error: unknown) => this.#ports.warn(messageOf(error)));
    }
  }

  /** @returns when this proxy routes by it as well: whoever has asked for the change sees it here */
  async #record(step: (state: RingState) => RingState): Promise<Revision> {
    const revision = await this.#recorder.change(step);
    await this.#participant.reached(revision);
    return revision;
  }

  async #alone<T>(decide: () => Promise<T>): Promise<T> {
    this.#busy = true;
    try {
      return await decide();
    } finally {
      this.#busy = false;
    }
  }

  #refuseTurning(change: RunningChange): void {
    if (this.#finishing) throw tooLate();
    if (change.undrained.length > 0) {
      throw new RingproxyError(
        'CANNOT_CANCEL',
        'nodes that were given up cannot come back',
        'add them again when it is done',
      );
    }
  }

  #running(): Running {
    const local = this.#local();
    const record = local.stored.state.change;
    if (record === null || local.change === null) throw noChange();
    return { ...local, record, change: local.change };
  }

  #local(): LocalRing {
    const { local } = this.#participant;
    if (local === null) throw new RingproxyError('NOT_READY', 'the ring is not known yet');
    return local;
  }
}

function describeDropped(keys: number): string {
  return `${keys} keys were dropped and read as missing: their node was restarted while they moved, and what it had could not be told from what was changed or deleted since`;
}
