/** Deciding about the ring as a job of the fleet: whoever has it decides, from one claim to the next. */
import { messageOf } from '../../errors.js';
import type { Duty, Job } from '../../fleet/jobs/job.js';
import { systemTimers } from '../../time/timers.js';
import type { RingBuilder } from '../change-rings.js';
import type { Participant } from '../participant/participant.js';
import { COORDINATOR, type RingStore } from '../store/ring-store.js';
import { Coordinator, type CoordinatorPorts } from './coordinator.js';
import { Recorder } from './recorder.js';
import { notCoordinator } from './refusals.js';
import type { RingAnswer, RingRequest, RingRequests } from './ring-requests.js';
import { Term } from './term.js';

/** How often it is looked who is alive, between changes. */
const PASS_EVERY_MS = 1000;

/** A term, and when it has taken over what was under way. */
interface Office {
  readonly coordinator: Coordinator;
  readonly recorder: Recorder;
  readonly begun: Promise<void>;
}

export class CoordinatorJob implements Job, RingRequests {
  readonly name = COORDINATOR;
  readonly pace = 'quick';
  readonly stays = true;
  readonly #store: RingStore;
  readonly #participant: Participant;
  readonly #rings: RingBuilder;
  readonly #ports: CoordinatorPorts;
  #office: Office | null = null;

  constructor(store: RingStore, participant: Participant, rings: RingBuilder, ports: CoordinatorPorts) {
    this.#store = store;
    this.#participant = participant;
    this.#rings = rings;
    this.#ports = ports;
  }

  /** What the coordinator records goes by this; null: this proxy does not decide. */
  get recorder(): Recorder | null {
    return this.#office?.recorder ?? null;
  }

  /** This proxy decides, and a change is being looked at, begun, turned round or ended. */
  get isDeciding(): boolean {
    return this.#office?.coordinator.isDeciding ?? false;
  }

  /** @throws RingproxyError NOT_COORDINATOR when another proxy decides, COORDINATOR_LOST when it comes to in the middle */
  async carryOut(request: RingRequest, by: string): Promise<RingAnswer> {
    const office = this.#office;
    if (office === null) throw notCoordinator();
    await office.begun;
    if (office.recorder.isOver) throw notCoordinator();
    return office.coordinator.carryOut(request, by);
  }

  /** What was recorded, or is told by movers, may end the change that is under way. */
  look(): void {
    const office = this.#office;
    if (office === null) return;
    office.begun
      .then(() => office.coordinator.look())
      .catch((error: unknown) => this.#ports.warn(`how far the change is cannot be told: ${messageOf(error)}`));
  }

  async run(duty: Duty): Promise<void> {
    const recorder = new Recorder(this.#store, duty.claim);
    const term = new Term(duty, this.#store, recorder, this.#participant, this.#ports);
    const coordinator = new Coordinator(term, this.#rings, this.#ports);
    const over = new Promise<void>((resolve) => duty.signal.addEventListener('abort', () => resolve()));
    const office = { coordinator, recorder, begun: coordinator.takeUp() };
    this.#office = office;
    const endWatch = this.#store.watch(({ kind }) => {
      if (kind === 'moves' || kind === 'ring') this.look();
    });
    const endPassing = systemTimers.every(PASS_EVERY_MS, () => {
      // Whoever is asked for a change is told what keeps members from being passed.
      coordinator.passDead().catch(() => {});
    });
    try {
      await Promise.race([office.begun, over]);
      this.look();
      await over;
    } finally {
      endPassing();
      endWatch();
      recorder.close();
      this.#office = null;
    }
  }
}
