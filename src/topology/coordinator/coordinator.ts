/**
 * Carries changes of the ring out, for one term: looks whether they may be, raises fences, and records each step
 * (`transitions.ts`). Every proxy that serves the ring follows what is recorded, this one as well.
 */
import { randomUUID } from 'node:crypto';
import type { ChangeAccepted, ChangeRequest } from '../../admin/api.js';
import { messageOf, RingproxyError } from '../../errors.js';
import { sameNode } from '../../node/identity.js';
import type { RingBuilder } from '../change-rings.js';
import { forgetEjected } from '../state/ejection.js';
import type { FleetMember, Revision } from '../state/fleet.js';
import {
  type Member,
  type NodeProcess,
  type RingState,
  type RunningChange,
  serversBefore,
} from '../state/ring-state.js';
import { afterEverybodyIsGone, move, type Noted, note, phaseOf, prepare, resumed } from '../state/transitions.js';
import { type ArrivalPorts, readyArrivals, refuseRestarted } from './arrivals.js';
import { seeWhoIsThere } from './attendance.js';
import { type PlanPorts, planChange } from './change-plan.js';
import {
  abandoned,
  type ChangeOfFleet,
  comeback,
  describeForgetting,
  ejectedAmong,
  ejection,
  withoutEjected,
} from './ejecting.js';
import { addHistory, finishChange } from './finishing.js';
import { forgetMember } from './forgetting.js';
import { changeRunning, notMovingYet, notPassed } from './refusals.js';
import { describeRequest } from './request.js';
import { emptyRestarted, recordedProcesses } from './restarted.js';
import type { AbandonRequest, RingAnswer, RingRequest, RingRequests } from './ring-requests.js';
import type { Running, Term, TermPorts } from './term.js';
import { type Asker, goOnWithoutNodes, refuseTurning, turnChangeRound, turnRoundWithout } from './turning.js';

/** Who has asked for what nobody has. */
const FLEET = 'the fleet';
const GIVEN_UP = 'the change was given up, nothing has moved';

export interface CoordinatorPorts extends PlanPorts, TermPorts, Omit<ArrivalPorts, 'killPredecessors'> {
  /** Gives a node the functions that the members have. @throws RingproxyError when it cannot take them */
  bringFunctions(members: readonly Member[], node: Member): Promise<void>;
  debug(message: string): void;
}

export class Coordinator implements RingRequests {
  readonly #term: Term;
  readonly #rings: RingBuilder;
  readonly #ports: CoordinatorPorts;
  /** A decision is under way: a second one waits for nobody, it is refused. */
  #busy: { readonly what: string; readonly by: string } | null = null;
  /** Everything has moved, and that is being recorded: too late to turn round. */
  #finishing = false;

  constructor(term: Term, rings: RingBuilder, ports: CoordinatorPorts) {
    this.#term = term;
    this.#rings = rings;
    this.#ports = ports;
  }

  /** A change is being looked at, begun, turned round or ended. */
  get isDeciding(): boolean {
    return this.#busy !== null || this.#finishing;
  }

  /** The term begins: gives up what its predecessor has not decided, or goes on with what it has. */
  async takeUp(): Promise<void> {
    const { change } = this.#term.local().stored.state;
    let told = '';
    await this.#term.recordAtLast(afterEverybodyIsGone, (error) => {
      const why = messageOf(error);
      if (why !== told) this.#ports.warn(`the ring is not taken over yet: ${why}`);
      told = why;
    });
    if (change === null) return;
    const { change: now } = this.#term.local().stored.state;
    if (now === null) this.#ports.info(`${change.summary}: given up with its coordinator, nothing has moved`);
    else this.#ports.info(`resuming the change that was under way: ${now.summary}`);
  }

  async carryOut(request: RingRequest, by: string): Promise<RingAnswer> {
    const accepted = await this.#carryOut(request, by);
    return { revision: this.#term.local().stored.revision, accepted };
  }

  /** What a mover tells may have been the last of it. */
  async look(): Promise<void> {
    if (this.#finishing || this.#term.recorder.isOver) return;
    const { change } = this.#term.local().stored.state;
    // While it may be turned round, it is not ended.
    if (change?.phase !== 'moving') return;
    if (!(await this.#term.progress.isSwept(change))) return;
    await this.#finish(change);
  }

  /** Members that are dead are passed before anybody waits for them. */
  async passDead(): Promise<void> {
    const phase = phaseOf(this.#term.local().stored.state);
    // A fence sees to it itself.
    if (this.#term.recorder.isOver || phase === 'preparing' || phase === 'turning') return;
    await this.#term.passing.pass();
  }

  async #carryOut(request: RingRequest, by: string): Promise<ChangeAccepted | null> {
    switch (request.kind) {
      case 'change':
        return this.#change(request.change, { by, who: request.who });
      case 'eject':
        return this.#begin(ejection(request, this.#stable(), await this.#members(), this.#ports.health), {
          by,
          who: FLEET,
        });
      case 'return':
        return this.#begin(comeback(request, this.#stable(), await this.#members()), { by, who: FLEET });
      case 'abandon':
        await this.#abandon(request, by);
        return null;
      case 'processes':
        await this.#term.record((state) => recordedProcesses(state, request));
        return null;
      case 'empty':
        await this.#alone(`${request.node.name} is just being emptied, since it was restarted`, by, () =>
          emptyRestarted(this.#term, request, () => this.#members(), this.#ports),
        );
        return null;
      case 'pause':
        await this.#note(() => ({ paused: true }));
        return null;
      case 'resume':
        await (request.noDrain ? this.#giveUpDead(by) : this.#note(resumed));
        return null;
      case 'throttle':
        await this.#note(() => ({ throttle: request.keysPerSecond }));
        return null;
      case 'cancel':
        await this.#cancel({ by, who: request.who });
        return null;
      case 'forget':
        await forgetMember(this.#term, request.id);
        return null;
    }
  }

  /** Nodes that are ejected are forgotten; what else is asked for is a change of the ring. */
  async #change(request: ChangeRequest, asker: Asker): Promise<ChangeAccepted> {
    const names = ejectedAmong(request, this.#stable());
    const rest = withoutEjected(request, names);
    const forgotten = names.length === 0 ? null : await this.#forgetEjected(names, asker);
    if (rest === null && forgotten !== null) return forgotten;
    const own = rest ?? request;
    const accepted = await this.#begin({ request: own, kind: own.kind, summary: describeRequest(own) }, asker);
    return forgotten === null ? accepted : { ...accepted, warnings: [...forgotten.warnings, ...accepted.warnings] };
  }

  async #forgetEjected(names: readonly string[], { by, who }: Asker): Promise<ChangeAccepted> {
    const summary = `forget ${names.join(', ')}, ejected before`;
    return this.#alone(`${summary}: that is just being recorded`, by, async () => {
      const startedAt = new Date().toISOString();
      await this.#term.record((state) => (state.change === null ? forgetEjected(state, names) : state));
      const { generation } = this.#stable();
      const none = { keysMoved: 0, bytesMoved: 0, keysDropped: 0 };
      const done = { kind: 'remove', generation, startedAt, summary, who, ...none } as const;
      await addHistory(this.#term.store, done, by, this.#ports);
      return { generation, dryRun: false, warnings: [describeForgetting(names)], moves: [], survey: null };
    });
  }

  async #begin({ request, kind, summary, ejecting }: ChangeOfFleet, { by, who }: Asker): Promise<ChangeAccepted> {
    const state = this.#stable();
    return this.#alone(`${summary} is just being prepared`, by, async () => {
      const plan = await planChange(request, state, this.#rings, this.#ports);
      const change: Omit<RunningChange, 'phase'> = {
        id: randomUUID(),
        ...{ kind, summary, by, who },
        members: plan.members,
        startedAt: new Date().toISOString(),
        undrained: plan.undrained,
        processes: [],
        throttle: request.throttle ?? 0,
        ...(plan.readdressed.length > 0 && { readdressed: plan.readdressed }),
        ...(ejecting !== undefined && { ejecting }),
      };
      await this.#term.store.rehearse(move(prepare(state, change), []));
      await seeWhoIsThere(this.#term.passing);
      // Only now, behind every check: what is flushed does not come back.
      const proxies = (await this.#members()).map(({ id }) => id);
      const empty = await readyArrivals(plan, state, kind === 'return', proxies, this.#ports);
      for (const node of plan.arriving) await this.#ports.bringFunctions(state.members, node);
      for (const warning of plan.accepted.warnings) this.#ports.warn(warning);
      // Flushing takes its time.
      await seeWhoIsThere(this.#term.passing);
      await this.#prepare(change, empty, plan.waitsFor);
      return plan.accepted;
    });
  }

  /** Holds commands on moved keys until none is in flight; then keys move. @throws RingproxyError when it is given up */
  async #prepare(
    change: Omit<RunningChange, 'phase'>,
    empty: readonly NodeProcess[],
    waitsFor: readonly string[],
  ): Promise<void> {
    let raised: Revision;
    try {
      raised = await this.#term.record((state) => prepare(state, change));
    } catch (error) {
      throw notPassed(GIVEN_UP, error);
    }
    const failure = await this.#term.pass(raised, {
      step: (state, processes) => {
        refuseRestarted(empty, processes);
        return move(state, processes);
      },
      isRecorded: ({ change: now }) => now?.id === change.id && now.phase === 'moving',
    });
    if (failure !== null) throw notPassed(GIVEN_UP, failure, waitsFor);
    this.#bringFunctionsAgain();
  }

  async #cancel({ by, who }: Asker): Promise<void> {
    const running = this.#moving();
    if (running.job?.isTakingOver === true) throw notMovingYet();
    if (this.#busy !== null) throw changeRunning(this.#busy.what, this.#busy.by);
    refuseTurning(running.record, this.#finishing);
    await this.#alone('it is just being turned round', by, () =>
      turnChangeRound(this.#term, running, { by, who }, { isFinishing: () => this.#finishing }),
    );
    this.#bringFunctionsAgain();
  }

  /**
   * The node that comes back has failed again. What it was given is lost with it; the rest is where it was, and stays
   * there: the change is turned round, and nobody waits for the node.
   */
  async #abandon(request: AbandonRequest, by: string): Promise<void> {
    const running = this.#moving();
    const node = abandoned(request, running.stored.state, await this.#members());
    await this.#alone(`${request.name} is just being given up again`, by, () =>
      turnRoundWithout(this.#term, running, node, { by, who: FLEET }, { isFinishing: () => this.#finishing }),
    );
  }

  /** Gives up the keys of nodes that do not answer. @throws RingproxyError when there is none */
  async #giveUpDead(by: string): Promise<void> {
    const { record, change } = this.#moving();
    await this.#alone('keys of nodes that do not answer are just being given up', by, async () => {
      const unfinished = await this.#term.progress.unfinished(record, change.rings);
      const dead = serversBefore(change.union, unfinished).filter((node) => this.#ports.health(node)?.up === false);
      if (dead.length === 0) {
        throw new RingproxyError('NOTHING_TO_GIVE_UP', 'every node that keys are moved off answers');
      }
      const names = dead.map((node) => node.name);
      this.#ports.warn(`the keys that ${names.join(', ')} did not hand over are given up: they read as missing`);
      // Recorded before it counts: after a restart, too, nothing is asked of these nodes.
      await goOnWithoutNodes(this.#term, this.#moving(), names, { isFinishing: () => this.#finishing });
    });
  }

  /** @throws RingproxyError when no keys move */
  async #note(noted: (change: RunningChange) => Noted): Promise<void> {
    const { record } = this.#moving();
    await this.#term.record((state) => (state.change === null ? state : note(state, record.id, noted(state.change))));
  }

  async #finish(change: RunningChange): Promise<void> {
    this.#finishing = true;
    try {
      await finishChange(this.#term, change, this.#ports);
    } finally {
      this.#finishing = false;
    }
  }

  /** What was loaded just before clients' FUNCTION LOAD went to the new nodes as well. */
  #bringFunctionsAgain(): void {
    const { members, change } = this.#term.local().stored.state;
    for (const node of change?.members ?? []) {
      if (members.some((member) => sameNode(member, node))) continue;
      void this.#ports.bringFunctions(members, node).catch((error: unknown) => this.#ports.warn(messageOf(error)));
    }
  }

  async #alone<T>(what: string, by: string, decide: () => Promise<T>): Promise<T> {
    if (this.#busy !== null) throw changeRunning(this.#busy.what, this.#busy.by);
    this.#busy = { what, by };
    try {
      return await decide();
    } finally {
      this.#busy = null;
    }
  }

  /** The ring as it is recorded. @throws RingproxyError CHANGE_RUNNING while it changes */
  #stable(): RingState {
    const { state } = this.#term.local().stored;
    if (state.change !== null) throw changeRunning(state.change.summary, state.change.by);
    return state;
  }

  #members(): Promise<readonly FleetMember[]> {
    return this.#term.store.members();
  }

  /** @throws RingproxyError when no keys move */
  #moving(): Running {
    const running = this.#term.running();
    if (running.record.phase === 'preparing') throw notMovingYet();
    return running;
  }
}
