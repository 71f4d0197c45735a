/**
 * Two workers' clients and what moves keys in the primary, with everything between them, in every order that messages,
 * arrivals, failures, changes and deaths may come in. Each channel keeps its order, and nothing else does.
 *
 * Nobody waits for ever; nothing is held for ever; and no worker takes a key for moved that is not.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FromWorker, ToWorker } from '../../../src/plane/workers/messages.js';
import { SharedMoves } from '../../../src/plane/workers/primary/shared-moves.js';
import { ChangingMoves } from '../../../src/plane/workers/worker/changing-moves.js';
import type { KeyMoves } from '../../../src/proxy/key-moves.js';
import { ManualTimers } from '../../support/manual-timers.js';
import { FakeMoves, snapshotWith } from './fake-moves.js';

const KEYS = ['k0', 'k1'].map((text) => Buffer.from(text));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class World {
  readonly workers: Worker[] = [];
  readonly shared = new SharedMoves(this.workers);
  readonly timers = new ManualTimers();
  /** All that ever moved keys. */
  readonly movers: FakeMoves[] = [];
  mover: FakeMoves | null = null;
  #generation = 0;

  publish(mover: FakeMoves | null): void {
    if (mover !== null && !this.movers.includes(mover)) this.movers.push(mover);
    this.mover = mover;
    this.shared.publish(snapshotWith(mover, ++this.#generation));
  }

  start(): Worker {
    const worker = new Worker(this);
    this.workers.push(worker);
    const { sent } = this.shared;
    if (sent !== null) worker.send({ type: 'publish', snapshot: sent });
    return worker;
  }

  kill(worker: Worker): void {
    worker.ended = true;
    this.workers.splice(this.workers.indexOf(worker), 1);
    this.shared.onExit(worker);
    this.start();
  }
}

/** A worker, with what is on its way to it and from it. */
class Worker {
  ended = false;
  readonly #world: World;
  readonly #moves: ChangingMoves;
  readonly #down: ToWorker[] = [];
  readonly #up: FromWorker[] = [];
  /** What it routes by. */
  moves: KeyMoves | null = null;
  /** Of the change that it routes by, in the primary. */
  #mover: FakeMoves | null = null;
  readonly #moversSent: (FakeMoves | null)[] = [];
  /** Clients that wait for a key, or for a hold. */
  readonly waiting = new Set<Client>();

  constructor(world: World) {
    this.#world = world;
    this.#moves = new ChangingMoves((message) => this.#up.push(message), world.timers);
  }

  send(message: ToWorker): void {
    if (this.ended) return;
    this.#down.push(message);
    if (message.type === 'publish') this.#moversSent.push(this.#world.mover);
  }

  /** A message arrives. @returns whether there was one */
  deliverDown(): boolean {
    const message = this.#down.shift();
    if (message === undefined || this.ended) return false;
    if (message.type === 'publish') {
      this.#mover = this.#moversSent.shift() ?? null;
      this.#moves.adopt(message.snapshot, (moves) => {
        this.moves = moves;
      });
    } else if (message.type === 'settled') this.#moves.onSettled(message);
    else if (message.type === 'swept') this.#moves.onSwept(message);
    else if (message.type === 'held') this.#moves.onHeld(message);
    else if (message.type === 'noted') this.#moves.onNoted(message);
    else throw new Error(`unexpected: ${message.type}`);
    this.#check();
    return true;
  }

  deliverUp(): boolean {
    const message = this.#up.shift();
    if (message === undefined || this.ended) return false;
    const { shared } = this.#world;
    if (message.type === 'settle') shared.onSettle(this, message);
    else if (message.type === 'gone') shared.onGone(this, message);
    else if (message.type === 'hold') shared.onHold(this, message);
    else if (message.type === 'release') shared.onRelease(this, message);
    else throw new Error(`unexpected: ${message.type}`);
    return true;
  }

  /** What it takes for moved has moved, in the change that it routes by. */
  #check(): void {
    for (const key of KEYS) {
      if (this.moves?.isSettled(0, 0, key, 0, key.length) !== true) continue;
      expect(this.#mover?.isSettled(0, 0, key, 0, key.length)).toBe(true);
    }
  }
}

/** A client whose command is on a moved key, or looks at all nodes. It is offered again until it can run. */
class Client {
  readonly #worker: Worker;
  /** Null: it looks at all nodes. */
  readonly #key: Buffer | null;

  constructor(worker: Worker, key: Buffer | null) {
    this.#worker = worker;
    this.#key = key;
    worker.waiting.add(this);
    this.resumeSoon();
  }

  /** At the turn's end in the data plane; sooner does no harm here. */
  resumeSoon(): void {
    if (this.#worker.ended || !this.#worker.waiting.has(this)) return;
    const { moves } = this.#worker;
    if (moves === null) {
      this.#worker.waiting.delete(this);
    } else if (this.#key === null) {
      if (!moves.holdMoves(this)) return;
      moves.releaseMoves();
      this.#worker.waiting.delete(this);
    } else if (moves.isSettled(0, 0, this.#key, 0, this.#key.length)) {
      this.#worker.waiting.delete(this);
    } else queueMicrotask(() => this.#ask(moves));
  }

  #ask(moves: KeyMoves): void {
    if (this.#key !== null && this.#worker.moves === moves) moves.settle(0, 1, 0, this.#key, this);
    else this.resumeSoon();
  }
}

/** What may happen next, and how often it does. */
const STEPS = Object.entries({
  ...{ down: 8, up: 8, client: 5, 'all nodes': 3, moved: 4, failed: 1 },
  ...{ 'take off': 1, land: 2, time: 1, leave: 1, next: 1, none: 1, again: 1, die: 1 },
});
const step = fc.record({
  what: fc.oneof(...STEPS.map(([what, weight]) => ({ weight, arbitrary: fc.constant(what) }))),
  worker: fc.nat({ max: 1 }),
  key: fc.nat({ max: 1 }),
});

interface Step {
  readonly what: string;
  readonly worker: number;
  readonly key: number;
}

async function take(world: World, { what, worker: index, key }: Step): Promise<void> {
  const worker = world.workers[index];
  if (worker === undefined) return;
  if (what === 'down') worker.deliverDown();
  else if (what === 'up') worker.deliverUp();
  else if (what === 'moved' || what === 'failed') world.mover?.finish(what === 'moved');
  else if (what === 'take off' && world.mover?.holders === 0) world.mover.inFlight = true;
  else if (what === 'land') world.mover?.land();
  else if (what === 'time') world.timers.advance(60);
  else if (what === 'next') world.publish(new FakeMoves());
  else if (what === 'none') world.publish(null);
  else if (what === 'again') world.publish(world.movers.at(-1) ?? null);
  else if (what === 'die') world.kill(worker);
  else if (what === 'leave') worker.waiting.clear();
  else if (what === 'client') new Client(worker, KEYS[key] ?? null);
  else if (what === 'all nodes') new Client(worker, null);
  await turn();
}

it('nobody waits for ever, nothing is held for ever, and only what has moved is taken for moved', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 80 }), async (steps) => {
      const world = new World();
      world.publish(new FakeMoves());
      world.start();
      world.start();
      for (const one of steps) await take(world, one);
      // From here on everything goes well.
      for (let quiet = 0; quiet < 3; ) {
        let busy = false;
        for (const mover of world.movers) mover.land();
        for (const worker of world.workers) while (worker.deliverDown() || worker.deliverUp()) busy = true;
        for (const mover of world.movers) while (mover.asked.size > 0) mover.finish(true);
        await turn();
        world.timers.advance(100);
        quiet = busy ? 0 : quiet + 1;
      }
      expect(world.workers.map(({ waiting }) => waiting.size)).toEqual([0, 0]);
      expect(world.movers.map(({ holders }) => holders)).toEqual(world.movers.map(() => 0));
    }),
    { numRuns: 300 },
  );
});
