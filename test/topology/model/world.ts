/**
 * The protocol of ring changes as a world of small steps: one key (or two) that moves from node A to node B and,
 * when the change is cancelled, back; a proxy with its workers, that may be killed and start anew; commands and
 * moves that lie in a node's socket and run late, or never.
 *
 * What decides is the code that runs: `routeMovedKey` (data plane), `mayMove`, `afterFence`, `afterRestart`
 * (manager). A rule that is left out (`without`) must lead to a violation.
 *
 * Invariant: whenever a node runs a client's command, its copy of the key is the truth, which is what all commands
 * before have made of it. So nothing acknowledged is lost, nothing deleted comes back, no key reads as missing.
 */
import { AFTER_READS, HOLD, ON_SOURCE, ON_TARGET, routeMovedKey } from '../../../src/proxy/route/moving/moved-key.js';
import { afterFence, afterRestart, mayMove } from '../../../src/topology/state/change-protocol.js';
import type { Step } from './explore.js';

/** A rule of the protocol that can be left out; the numbers are those of the design. */
export type Rule =
  | '1 fence'
  | '2 no late command'
  | '2 no late move'
  | '3 settle before run'
  | '4 no way back alone'
  | '5 answers of another change are ignored'
  | '6 everybody counts'
  | '7 what is recorded goes forward'
  | '8 dead workers are dropped first'
  | '8 a worker looks for its primary'
  | '9 a new worker takes the phase at hand'
  | 'moves hold still while a cancel is undecided'
  | 'a cancel that is given up forgets nothing'
  | 'one move of a key at a time'
  | 'an empty reply of the source is asked of the target'
  | 'commands wait for reads of moving keys';

export interface Bounds {
  readonly keys: 1 | 2;
  /** Commands of clients. */
  readonly commands: number;
  /** Workers that die; each is replaced. */
  readonly workerDeaths: number;
  /** Times that the whole proxy is killed and starts anew. */
  readonly restarts: number;
  /** Nodes that start anew, empty. */
  readonly nodeRestarts: number;
  readonly cancels: 0 | 1 | 2;
}

/** 0: the node has no such key. Others are the numbers of the writes. */
type Copy = number;
type NodeName = 'a' | 'b';
/** Of the change 1, from a to b, or of the change 2, back. */
type Change = 1 | 2;
type Phase = 'stable' | 'preparing' | 'moving' | 'done';

interface Command {
  readonly key: number;
  readonly kind: 'write' | 'delete' | 'read';
  readonly value: Copy;
}

/** A command that was sent to a node, or waits for its key. */
interface InFlight extends Command {
  readonly at: NodeName;
  /**
   * `settling`: its key is asked for; `sent`: to the node; `source read`: to the node that the key leaves;
   * `second read`: such a read has found nothing there, and was sent to the other node.
   */
  readonly state: 'settling' | 'sent' | 'source read' | 'second read';
}

interface Worker {
  /** `orphan`: stalled since before its primary died. */
  life: 'alive' | 'orphan' | 'dead';
  phase: Phase;
  change: Change;
  acknowledged: boolean;
  inFlight: InFlight[];
  /** Lies in a node's socket, on connections that were cut. */
  late: (Command & { readonly at: NodeName })[];
  /** Which keys it takes for settled. */
  settled: number[];
  /** An answer to an earlier question that is still on its way: the change and the key. */
  answer: { readonly change: Change; readonly key: number } | null;
  /** The nodes have dropped its connections. */
  dropped: boolean;
  /** A client's write that it has read but not sent yet. */
  buffered: Command | null;
}

/** A key on its way. */
interface Transfer {
  readonly key: number;
  readonly to: NodeName;
  readonly stage: 'taken' | 'restored' | 'failed';
  readonly value: Copy;
}

type LateMove =
  | { readonly kind: 'restore'; readonly key: number; readonly at: NodeName; readonly value: Copy }
  | { readonly kind: 'unlink'; readonly key: number; readonly at: NodeName };

export interface World {
  a: Copy[];
  b: Copy[];
  truth: Copy[];
  nextValue: number;
  left: { commands: number; workerDeaths: number; restarts: number; nodeRestarts: number; cancels: number };
  /** What is recorded on disk. */
  record: { readonly change: Change; readonly phase: 'stable' | 'moving' | 'done' };
  phase: Phase;
  change: Change;
  /** Waits until the nodes have dropped what the predecessor left. */
  resuming: boolean;
  /** The change back is fenced: either it is recorded, or the change goes on. */
  undecided: boolean;
  settled: number[];
  transfers: Transfer[];
  lateMoves: LateMove[];
  workers: Worker[];
}

const sourceOf = (change: Change): NodeName => (change === 1 ? 'a' : 'b');
const targetOf = (change: Change): NodeName => (change === 1 ? 'b' : 'a');

function newWorker(phase: Phase, change: Change): Worker {
  return {
    life: 'alive',
    phase,
    change,
    acknowledged: phase === 'preparing',
    inFlight: [],
    late: [],
    settled: [],
    answer: null,
    dropped: false,
    buffered: null,
  };
}

export function firstWorld(bounds: Bounds): World {
  const copies = Array.from({ length: bounds.keys }, () => 1);
  const { commands, workerDeaths, restarts, nodeRestarts, cancels } = bounds;
  return {
    a: copies,
    b: copies.map(() => 0),
    truth: [...copies],
    nextValue: 2,
    left: { commands, workerDeaths, restarts, nodeRestarts, cancels },
    record: { change: 1, phase: 'stable' },
    phase: 'stable',
    change: 1,
    resuming: false,
    undecided: false,
    settled: [],
    transfers: [],
    lateMoves: [],
    workers: [newWorker('stable', 1), newWorker('stable', 1)],
  };
}

/** Workers are alike: worlds that differ in their order are one. */
export function keyOf(world: World): string {
  const workers = world.workers.map((worker) => JSON.stringify(worker)).sort();
  return JSON.stringify({ ...world, workers });
}

/** Everything that may happen next. @param without the rule that is left out, or null */
export function* stepsOf(world: World, without: Rule | null): Generator<Step<World>> {
  const after = (name: string, change: (copy: World) => string | null): Step<World> => {
    const copy = structuredClone(world);
    const violation = change(copy);
    return { name, world: copy, violation };
  };
  yield* managerSteps(world, without, after);
  yield* moveSteps(world, without, after);
  for (const index of world.workers.keys()) yield* workerSteps(world, index, without, after);
  yield* faultSteps(world, without, after);
}

type After = (name: string, change: (copy: World) => string | null) => Step<World>;

/** An acknowledgement is the answer to one question. */
function askAgain(world: World): void {
  for (const worker of world.workers) worker.acknowledged = false;
}

function workerAt(world: World, index: number): Worker {
  const worker = world.workers[index];
  if (worker === undefined) throw new RangeError(`there is no worker ${index}`);
  return worker;
}

/** Begins, fences, records, gives up, finishes, cancels. */
function* managerSteps(world: World, without: Rule | null, after: After): Generator<Step<World>> {
  const turnsRound = world.undecided;
  if (world.phase === 'stable' && world.record.phase === 'stable') {
    yield after('the change begins', (copy) => {
      copy.phase = 'preparing';
      askAgain(copy);
      return null;
    });
  }
  if (world.phase === 'preparing' && !world.resuming) {
    const living = world.workers.filter((worker) => worker.life === 'alive');
    const members = living.map((worker) => ({ acknowledged: worker.acknowledged, why: '' }));
    const counted = without === '6 everybody counts' ? members.filter((member) => member.acknowledged) : members;
    const late =
      (without !== '2 no late command' && living.some((worker) => worker.late.length > 0)) ||
      (without !== '8 dead workers are dropped first' &&
        world.workers.some((worker) => worker.life !== 'alive' && !worker.dropped)) ||
      (without !== '2 no late move' && world.lateMoves.length > 0);
    const passed = counted.length > 0 && mayMove(counted) && !late;
    // What is under way when the change turns round would end on the wrong side.
    const still = without === 'moves hold still while a cancel is undecided' || world.transfers.length === 0;
    if (still && passed) {
      yield after('the fence stands: moving is recorded, keys move', (copy) => {
        copy.record = { change: copy.change, phase: 'moving' };
        copy.phase = 'moving';
        copy.undecided = false;
        if (turnsRound) copy.settled = [];
        return null;
      });
    }
    for (const recorded of [false, true]) {
      if (afterFence(false, turnsRound) !== 'go on' || (recorded && !(passed && still))) continue;
      const why = recorded ? 'is recorded, which is not known' : 'takes too long';
      yield after(`the fence of the cancel ${why}: the change goes on`, (copy) => {
        if (recorded) copy.record = { change: 2, phase: 'moving' };
        copy.change = 1;
        copy.phase = 'moving';
        copy.undecided = false;
        if (without === 'a cancel that is given up forgets nothing') {
          // It goes on as one that is new: from a node that has lost keys already.
          copy.phase = 'stable';
          copy.record = { change: 1, phase: 'stable' };
          copy.settled = [];
        }
        return null;
      });
    }
    if (afterFence(false, turnsRound) === 'give up') {
      yield after('the fence takes too long: given up', (copy) => {
        copy.phase = 'stable';
        return null;
      });
    }
  }
  if (
    world.resuming &&
    world.workers.every((worker) => worker.life === 'alive' || worker.dropped) &&
    world.lateMoves.length === 0
  ) {
    yield after('the predecessor is dropped everywhere: keys move again', (copy) => {
      copy.resuming = false;
      copy.phase = 'moving';
      return null;
    });
  }
  if (world.phase === 'moving') {
    const source = world[sourceOf(world.change)];
    const clean = world.transfers.length === 0 && (without === '2 no late move' || world.lateMoves.length === 0);
    if (source.every((copy) => copy === 0) && clean) {
      yield after('everything is swept: recorded', (copy) => {
        copy.record = { change: copy.change, phase: 'done' };
        copy.phase = 'done';
        return null;
      });
    }
    const isStill = world.transfers.length === 0 || without === 'moves hold still while a cancel is undecided';
    if (world.left.cancels > 0 && world.change === 1 && isStill) {
      yield after('cancelled: the mover holds still, moved keys are held', (copy) => {
        copy.left.cancels--;
        copy.change = 2;
        copy.phase = 'preparing';
        copy.undecided = true;
        askAgain(copy);
        return null;
      });
    }
  }
}

/** The mover: takes, restores, unlinks; commands of its that fail may run late. */
function* moveSteps(world: World, without: Rule | null, after: After): Generator<Step<World>> {
  // Until a cancel is decided the mover is that of the change that goes on.
  const direction = world.undecided ? 1 : world.change;
  const from = sourceOf(direction);
  const to = targetOf(direction);
  const moves = world.undecided && without === 'moves hold still while a cancel is undecided';
  if (world.phase === 'moving' || moves) {
    for (const key of world.truth.keys()) {
      const busy = world.transfers.some((transfer) => transfer.key === key);
      if (busy && (without !== 'one move of a key at a time' || world.transfers.length > 1)) continue;
      if (!busy && world.settled.includes(key) && world[from][key] === 0) continue;
      yield after(`key ${key} is read on ${from}`, (copy) => {
        const value = copy[from][key] as Copy;
        if (value === 0) copy.settled = add(copy.settled, key);
        else copy.transfers.push({ key, to, stage: 'taken', value });
        return null;
      });
    }
  }
  for (const [index, transfer] of world.transfers.entries()) {
    const { key, value, to } = transfer;
    const from = to === 'a' ? 'b' : 'a';
    const replace = (copy: World, stage: Transfer['stage']): null => {
      copy.transfers[index] = { key, to, value, stage };
      return null;
    };
    if (transfer.stage === 'taken') {
      yield after(`key ${key} is restored on ${to}`, (copy) => {
        copy[to][key] = value;
        return replace(copy, 'restored');
      });
      if (world.lateMoves.length === 0) {
        yield after(`RESTORE of key ${key} times out`, (copy) => {
          copy.lateMoves.push({ kind: 'restore', key, at: to, value });
          return replace(copy, 'failed');
        });
      }
    }
    if (transfer.stage === 'restored') {
      yield after(`key ${key} is unlinked on ${from}`, (copy) => {
        copy[from][key] = 0;
        // The target has started anew in between: it has lost the key itself.
        if (copy[to][key] === 0) copy.truth[key] = 0;
        copy.settled = add(copy.settled, key);
        copy.transfers.splice(index, 1);
        return null;
      });
      if (world.lateMoves.length === 0) {
        yield after(`UNLINK of key ${key} times out`, (copy) => {
          copy.lateMoves.push({ kind: 'unlink', key, at: from });
          return replace(copy, 'failed');
        });
      }
    }
    if (transfer.stage === 'failed' && (world.lateMoves.length === 0 || without === '2 no late move')) {
      yield after(`the failed move of key ${key} is over`, (copy) => {
        copy.transfers.splice(index, 1);
        return null;
      });
    }
  }
  for (const index of world.lateMoves.keys()) {
    yield after('the nodes drop the late connections of the mover', (copy) => {
      copy.lateMoves = [];
      return null;
    });
    yield after('a late command of the mover runs', (copy) => {
      const [move] = copy.lateMoves.splice(index, 1);
      if (move === undefined) return null;
      copy[move.at][move.key] = move.kind === 'restore' ? move.value : 0;
      // The target has started anew in between: it has lost the key itself.
      if (copy.a[move.key] === 0 && copy.b[move.key] === 0) copy.truth[move.key] = 0;
      return null;
    });
  }
}

function* workerSteps(world: World, index: number, without: Rule | null, after: After): Generator<Step<World>> {
  const worker = workerAt(world, index);
  const edit = (name: string, change: (own: Worker, copy: World) => string | null): Step<World> =>
    after(`worker ${index} ${name}`, (copy) => change(workerAt(copy, index), copy));
  if (worker.late.length > 0) {
    yield edit(`'s late ${worker.late[0]?.kind} runs`, (own, copy) => {
      const [command] = own.late.splice(0, 1);
      return command === undefined ? null : run(copy, command.at, command);
    });
  }
  if (worker.life === 'dead') {
    // The nodes can be asked to drop its connections at any time.
    if (!worker.dropped) yield edit(`'s connections are dropped`, dropConnections);
    return;
  }
  if (worker.life === 'orphan') {
    if (!worker.dropped) yield edit(`'s connections are dropped`, dropConnections);
    yield* orphanSteps(world, worker, without, edit);
    return;
  }
  // A cut connection is dropped when the fence is raised.
  if (world.phase === 'preparing' && worker.late.length > 0) {
    yield edit(`'s late connections are dropped`, (own) => {
      own.late = [];
      return null;
    });
  }
  yield* phaseSteps(world, worker, without, edit);
  yield* commandSteps(world, worker, without, edit);
}

type Edit = (name: string, change: (own: Worker, copy: World) => string | null) => Step<World>;

function dropConnections(own: Worker): null {
  own.late = [];
  own.inFlight = [];
  own.dropped = true;
  return null;
}

/** Its primary is gone, and it has not noticed: it has a command to send. */
function* orphanSteps(_world: World, worker: Worker, without: Rule | null, edit: Edit): Generator<Step<World>> {
  const { buffered } = worker;
  if (buffered === null) return;
  const at = worker.phase === 'stable' ? sourceOf(worker.change) : targetOf(worker.change);
  const connected = !worker.dropped || without === '8 a worker looks for its primary';
  // Where it would have to ask its primary first, it sends nothing.
  const knows = worker.phase === 'moving' ? worker.settled.includes(buffered.key) : worker.phase !== 'preparing';
  if (knows && connected) {
    yield edit('(left behind) sends what it had read', (own, copy) => {
      own.buffered = null;
      return run(copy, at, buffered);
    });
  }
  yield edit('(left behind) ends', (own) => {
    own.buffered = null;
    own.life = 'dead';
    return null;
  });
}

/** What it hears of the change. */
function* phaseSteps(world: World, worker: Worker, without: Rule | null, edit: Edit): Generator<Step<World>> {
  if (worker.phase !== world.phase || worker.change !== world.change) {
    yield edit(`hears: ${world.phase} (change ${world.change})`, (own, copy) => {
      if (own.change !== copy.change || copy.phase !== 'moving') own.settled = [];
      own.phase = copy.phase;
      own.change = copy.change;
      own.acknowledged = false;
      return null;
    });
  }
  const idle = worker.inFlight.length === 0;
  if (worker.phase === 'preparing' && !worker.acknowledged && (idle || without === '1 fence')) {
    yield edit('acknowledges', (own) => {
      own.acknowledged = true;
      return null;
    });
  }
  if (without === '4 no way back alone' && worker.phase === 'preparing' && worker.acknowledged) {
    yield edit('goes back by itself', (own) => {
      own.phase = 'stable';
      return null;
    });
  }
  const { answer } = worker;
  if (answer !== null) {
    yield edit(`hears that key ${answer.key} is settled`, (own) => {
      const current = answer.change === own.change || without === '5 answers of another change are ignored';
      if (current && own.phase === 'moving') own.settled = add(own.settled, answer.key);
      own.answer = null;
      return null;
    });
  }
}

/** Commands of its clients. */
function* commandSteps(world: World, worker: Worker, without: Rule | null, edit: Edit): Generator<Step<World>> {
  const to = targetOf(worker.change);
  if (world.left.commands > 0 && worker.inFlight.length < 2 && worker.buffered === null) {
    for (const key of world.truth.keys()) {
      for (const kind of ['write', 'delete', 'read'] as const) {
        const at = placeOf(world, worker, key, kind === 'read', without);
        if (at === null) continue;
        // A second command behind the first one, by the same client, only where the first one is a read that may go on.
        if (!worker.inFlight.every(isRead)) continue;
        yield edit(`begins a ${kind} of key ${key} (${at.state}, ${at.at})`, (own, copy) => {
          copy.left.commands--;
          own.inFlight.push({ key, kind, value: kind === 'write' ? copy.nextValue++ : 0, ...at });
          return null;
        });
      }
    }
  }
  for (const [index, command] of worker.inFlight.entries()) {
    const takeOff = (own: Worker): InFlight => own.inFlight.splice(index, 1)[0] as InFlight;
    if (command.state === 'settling') {
      const settled =
        world.phase !== 'preparing' && world.settled.includes(command.key) && world.change === worker.change;
      const waits = readsToWaitFor(worker, without);
      if (settled && routeMovedKey(true, true, false, waits) === ON_TARGET) {
        yield edit(`'s key ${command.key} has arrived`, (own, copy) => {
          own.inFlight[index] = { ...command, state: 'sent', at: to };
          own.settled = add(own.settled, command.key);
          // The answer may come twice, and late.
          own.answer = { change: copy.change, key: command.key };
          return null;
        });
      }
      // The change is turned round, or over: the client asks anew.
      if (worker.phase !== 'moving') {
        yield edit('offers a command anew', (own, copy) => {
          takeOff(own);
          copy.left.commands++;
          return null;
        });
      }
      continue;
    }
    yield edit(`'s ${command.kind} of key ${command.key} runs on ${command.at}`, (own, copy) => {
      if (command.state === 'source read') {
        const found = copy[command.at][command.key] as Copy;
        if (found === 0 && without !== 'an empty reply of the source is asked of the target') {
          own.inFlight[index] = { ...command, state: 'second read', at: command.at === 'a' ? 'b' : 'a' };
          return null;
        }
        takeOff(own);
        return run(copy, command.at, command);
      }
      takeOff(own);
      return overtaken(own, index, command) ?? run(copy, command.at, command);
    });
    if (worker.late.length === 0 && command.state !== 'source read') {
      yield edit(`'s ${command.kind} of key ${command.key} times out`, (own) => {
        const { key, kind, value, at } = takeOff(own);
        own.late.push({ key, kind, value, at });
        return null;
      });
    }
  }
}

/** A client's command must not run before one that it sent earlier on the same key. */
function overtaken(own: Worker, index: number, command: InFlight): string | null {
  const earlier = own.inFlight.slice(0, index).find((other) => other.key === command.key && command.kind !== 'read');
  return earlier === undefined ? null : `a ${command.kind} of key ${command.key} overtakes the read in front of it`;
}

function isRead(command: InFlight): boolean {
  return command.state === 'source read' || command.state === 'second read';
}

/** Reads of moving keys, of the client whose commands these are, that are not answered yet. */
function readsToWaitFor(worker: Worker, without: Rule | null): number {
  return without === 'commands wait for reads of moving keys' ? 0 : worker.inFlight.filter(isRead).length;
}

/** Where the worker sends a command; null: it is held, or waits. */
function placeOf(
  world: World,
  worker: Worker,
  key: number,
  readable: boolean,
  without: Rule | null,
): Pick<InFlight, 'at' | 'state'> | null {
  const from = sourceOf(worker.change);
  const to = targetOf(worker.change);
  const waits = readsToWaitFor(worker, without);
  // Whatever the ring has become: the client's next command waits for its reads.
  if (worker.phase !== 'moving' && waits > 0) return null;
  if (worker.phase === 'stable') return { at: from, state: 'sent' };
  if (worker.phase === 'done') return { at: to, state: 'sent' };
  if (without === '1 fence' && worker.phase === 'preparing') return { at: from, state: 'sent' };
  const swept = world.change === worker.change && world.phase === 'done';
  const settled = worker.settled.includes(key) || swept || without === '3 settle before run';
  switch (routeMovedKey(worker.phase === 'moving', settled, readable, waits)) {
    case HOLD:
    case AFTER_READS:
      return null;
    case ON_TARGET:
      return { at: to, state: 'sent' };
    case ON_SOURCE:
      return { at: from, state: 'source read' };
    default:
      return { at: to, state: 'settling' };
  }
}

/** Workers that die, the proxy that is killed, nodes that start anew. */
function* faultSteps(world: World, without: Rule | null, after: After): Generator<Step<World>> {
  if (world.left.workerDeaths > 0) {
    for (const [index, worker] of world.workers.entries()) {
      if (worker.life !== 'alive') continue;
      yield after(`worker ${index} is killed, another one begins`, (copy) => {
        copy.left.workerDeaths--;
        die(workerAt(copy, index));
        copy.workers.push(
          newWorker(without === '9 a new worker takes the phase at hand' ? 'stable' : copy.phase, copy.change),
        );
        return null;
      });
    }
  }
  if (world.left.restarts > 0) {
    for (const orphan of [false, true]) {
      if (orphan && world.left.commands === 0) continue;
      yield after(
        `the proxy is killed${orphan ? ', a stalled worker is left behind' : ''}, and starts anew`,
        (copy) => {
          copy.left.restarts--;
          for (const [index, worker] of copy.workers.entries()) {
            if (worker.life === 'dead') continue;
            die(worker);
            if (orphan && index === 0) {
              worker.life = 'orphan';
              copy.left.commands--;
              worker.buffered = { key: 0, kind: 'write', value: copy.nextValue++ };
            }
          }
          // Commands of the mover that were on their way may still run.
          for (const { key, to, stage, value } of copy.transfers) {
            if (stage === 'taken') copy.lateMoves.push({ kind: 'restore', key, at: to, value });
            if (stage === 'restored') copy.lateMoves.push({ kind: 'unlink', key, at: to === 'a' ? 'b' : 'a' });
          }
          copy.transfers = [];
          copy.settled = [];
          copy.undecided = false;
          const { change, phase } = copy.record;
          const forward =
            afterRestart(phase === 'moving' ? 'moving' : 'stable') === 'go forward' &&
            without !== '7 what is recorded goes forward';
          copy.change = change;
          copy.phase = phase === 'done' ? 'done' : forward ? 'preparing' : 'stable';
          copy.resuming = forward;
          copy.workers.push(newWorker(copy.phase, change));
          return null;
        },
      );
    }
  }
  if (world.left.nodeRestarts > 0) {
    for (const node of ['a', 'b'] as const) {
      // What is on its way from a node that dies is lost with it, or not: neither is the protocol's fault.
      if (world.transfers.some((transfer) => transfer.stage !== 'restored') || world.lateMoves.length > 0) continue;
      yield after(`node ${node} starts anew, empty`, (copy) => {
        copy.left.nodeRestarts--;
        const other = copy[node === 'a' ? 'b' : 'a'];
        for (const key of copy.truth.keys()) {
          copy[node][key] = 0;
          if (other[key] === 0) copy.truth[key] = 0;
        }
        for (const worker of copy.workers) {
          worker.late = worker.late.filter((command) => command.at !== node);
          worker.inFlight = worker.inFlight.filter((command) => command.state === 'settling' || command.at !== node);
        }
        return null;
      });
    }
  }
}

/** What it has sent lies at the nodes. */
function die(worker: Worker): void {
  worker.life = 'dead';
  for (const { key, kind, value, at, state } of worker.inFlight) {
    if (state === 'sent' || state === 'second read') worker.late.push({ key, kind, value, at });
  }
  worker.inFlight = [];
  worker.answer = null;
}

/** A node runs a client's command: its copy must be the truth. */
function run(world: World, node: NodeName, command: Command): string | null {
  const { key, kind, value } = command;
  const copy = world[node][key] as Copy;
  if (copy !== world.truth[key]) {
    return `VIOLATION: a ${kind} of key ${key} runs on ${node}, which has ${copy}, while the truth is ${world.truth[key]}`;
  }
  if (kind !== 'read') {
    world[node][key] = kind === 'write' ? value : 0;
    world.truth[key] = world[node][key] as Copy;
  }
  return null;
}

function add(keys: readonly number[], key: number): number[] {
  return keys.includes(key) ? [...keys] : [...keys, key].sort();
}
