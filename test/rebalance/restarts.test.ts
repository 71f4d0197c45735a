/**
 * One key between two nodes, under every order of writes, snapshots, restarts from them, batches that are cut, or carried out
 * without that a reply comes, cancels and restarts of the proxy. What decides is the code that runs: `MoveMemory` and `verdictOn`.
 *
 * Invariant: a key that is settled is what its node had, or (only where a restart and a loss of memory came together, or both
 * nodes were restarted, and the reply of MIGRATE lost) missing; never a value of the past. What a node's own restart loses, it has lost.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MoveMemory } from '../../src/rebalance/move-memory.js';
import { type Verdict, verdictOn } from '../../src/rebalance/trust.js';

const NODES = [
  { name: 'a', address: '127.0.0.1:1' },
  { name: 'b', address: '127.0.0.1:2' },
];
const KEY = Buffer.from('key');
/** 0: there is no such key. */
type Copy = number;
type Step =
  | 'write'
  | 'delete'
  | 'settle'
  | 'cut'
  | 'lost reply of UNLINK'
  | 'lost reply of MIGRATE'
  | 'turn'
  | 'forget'
  | 'snapshot 0'
  | 'snapshot 1'
  | 'restart 0'
  | 'restart 1';
const STEPS: Step[] = [
  ...(['write', 'delete', 'settle', 'cut', 'turn', 'forget'] as const),
  ...(['lost reply of UNLINK', 'lost reply of MIGRATE'] as const),
  ...(['snapshot 0', 'snapshot 1', 'restart 0', 'restart 1'] as const),
];

class World {
  readonly copies: Copy[] = [1, 0];
  readonly snapshots: Copy[] = [1, 0];
  readonly restarted = [false, false];
  /** On which node the valid copy is. */
  place = 0;
  /** Written to the target by a batch that was cut: no loss if it is kept. */
  cutValue: Copy = 0;
  source = 0;
  memory = new MoveMemory(NODES, null);
  isComplete = true;
  /** Whether what was carried out is noted though its reply was lost. */
  readonly #notes: boolean;
  #next = 2;
  readonly #decide: typeof verdictOn;

  constructor(decide: typeof verdictOn, notes: boolean) {
    this.#decide = decide;
    this.#notes = notes;
    this.memory.begin(this.source);
  }

  get target(): number {
    return 1 - this.source;
  }

  take(step: Step): void {
    const [what, node] = step.split(' ');
    const at = Number(node);
    switch (what) {
      case 'lost':
        this.loseReply(step);
        break;
      case 'snapshot':
        this.snapshots[at] = this.copies[at] ?? 0;
        break;
      case 'restart':
        this.copies[at] = this.snapshots[at] ?? 0;
        this.restarted[at] = true;
        break;
      case 'forget':
        this.memory = new MoveMemory(NODES, null);
        this.isComplete = false;
        break;
      case 'turn':
        // Nothing is in flight then.
        this.source = this.target;
        this.memory = new MoveMemory(NODES, this.memory);
        this.memory.begin(this.source);
        break;
      case 'cut':
        if (this.isSettled || this.place !== this.source || this.restarted.includes(true)) break;
        this.copies[this.target] = this.copies[this.source] ?? 0;
        this.cutValue = this.copies[this.target] ?? 0;
        break;
      default:
        this.settle();
        this.copies[this.target] =
          what === 'write' ? this.#next++ : what === 'delete' ? 0 : (this.copies[this.target] ?? 0);
    }
  }

  get isSettled(): boolean {
    return this.memory.settled.has(this.source, 0, KEY, 0, KEY.length);
  }

  settle(): void {
    if (this.isSettled) return;
    const [source, target] = [this.source, this.target];
    const truth = this.copies[this.place] ?? 0;
    const there = this.memory.placeOf(source, target, 0, KEY);
    this.carry(this.#decide(there, this.restarted[source] ?? false, this.restarted[target] ?? false));
    const now = this.copies[target] ?? 0;
    const isUnknown = !this.isComplete || (there === 'either' && !this.restarted.includes(false));
    const mayMiss = isUnknown && this.restarted.includes(true);
    const allowed = [truth, ...(mayMiss ? [0] : []), ...(this.cutValue === 0 ? [] : [this.cutValue])];
    expect(allowed).toContain(now);
    this.memory.settled.add(source, 0, KEY);
    this.place = target;
    this.cutValue = 0;
  }

  /** The key is moved, and who has it moved does not hear of it. */
  loseReply(step: Step): void {
    const { source, target, copies } = this;
    if (this.isSettled || copies[source] === 0) return;
    const place = this.memory.placeOf(source, target, 0, KEY);
    const verdict = this.#decide(place, this.restarted[source] ?? false, this.restarted[target] ?? false);
    if (verdict.startsWith('drop')) return;
    this.carry(verdict);
    this.place = target;
    this.cutValue = 0;
    if (!this.#notes) return;
    if (step === 'lost reply of UNLINK') this.memory.noteCopied(source, 0, [KEY]);
    else this.memory.noteSent(source, 0, [KEY]);
  }

  carry(verdict: Verdict): void {
    const { copies, source, target } = this;
    const has = copies[source] !== 0;
    if (verdict === 'drop both') copies[target] = 0;
    else if (verdict === 'move, clear' || (verdict === 'move' && has)) copies[target] = copies[source] ?? 0;
    else if (verdict === 'offer' && has && copies[target] === 0) copies[target] = copies[source] ?? 0;
    copies[source] = 0;
  }
}

const orders = fc.array(fc.constantFrom(...STEPS), { maxLength: 14 });

function explore(decide: typeof verdictOn, notes = true): void {
  fc.assert(
    fc.property(orders, (steps) => {
      const world = new World(decide, notes);
      for (const step of steps) world.take(step);
      world.settle();
    }),
    { numRuns: 30_000 },
  );
}

it('never settles a key with a value of the past', () => explore(verdictOn));

it.each<[string, typeof verdictOn]>([
  ['a restarted source is trusted', (place, _source, target) => verdictOn(place, false, target)],
  ['a restarted target is trusted', (place, source) => verdictOn(place, source, false)],
  [
    'what is not known is taken for the source’s',
    (place, ...rest) => verdictOn(place === 'unknown' ? 'source' : place, ...rest),
  ],
])('finds the loss when a rule is left out: %s', (_title, decide) => {
  expect(() => explore(decide)).toThrow();
});

it('finds the loss when what was carried out without a reply is not noted', () => {
  expect(() => explore(verdictOn, false)).toThrow();
});
