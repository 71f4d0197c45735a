/**
 * Several proxies with one ring as a world of small steps: one key that moves from node A to node B and, when the change
 * is cancelled, back; two proxies, and one that joins; a store in which the ring, the members, who coordinates and who
 * moves are recorded. Any proxy may stand still for as long as it likes, lose its lease, or die; what it has sent may lie in a
 * node's socket and run late, or never; records reach a proxy late.
 *
 * What decides is the code that runs: what may follow what (`transitions.ts`), when keys may move (`change-protocol.ts`),
 * who may be left out, and whose claim is in force (`fleet.ts`), where a command goes (`moved-key.ts`). What one proxy does by itself
 * (its workers, reads of moving keys, moves that are cut half-way) is explored in `world.ts`.
 *
 * Invariant: whenever a node runs a client's command, its copy of the key is the truth, which is what all commands
 * before have made of it; and nobody records anything by a claim that has passed to another one.
 */
import { HOLD, ON_TARGET, routeMovedKey } from '../../../src/proxy/route/moving/moved-key.js';
import { afterFence, afterRestart, mayMove } from '../../../src/topology/state/change-protocol.js';
import {
  answersTo,
  type FleetMember,
  isInForce,
  mayCarry,
  mayFenceOff,
  mayForget,
  mayPass,
} from '../../../src/topology/state/fleet.js';
import type { Consistency } from '../../../src/topology/state/ring-state.js';
import { type Phase, phaseAfter, type Step as RecordStep } from '../../../src/topology/state/transitions.js';
import type { Step } from './explore.js';

/** A rule of the protocol that can be left out; the numbers are those of the design. */
export type FleetRule =
  | '1 fence'
  | '2 no late command'
  | '3 settle before run'
  | '4 no way back alone'
  | '5 an acknowledgement is of one fence'
  | '5 the revision is compared'
  | '5 the claim is compared'
  | '6 everybody counts'
  | '6 members are durable'
  | '7 what is recorded goes forward'
  | '8 first look, then speak'
  | '8 the name comes before the look'
  | '8 a lease is counted from when its renewal was sent'
  | '9 a joiner has seen the ring as it is'
  | '9 a joiner registers before it serves'
  | 'only a member whose lease has run out is fenced off'
  | 'nobody is passed where consistency is available'
  | 'a member is fenced off before the nodes drop it'
  | 'a member is dropped by the nodes before it is left out'
  | 'a source has one mover'
  | 'the nodes drop a mover before the next one begins'
  | 'a mover connects by a claim that is in force'
  | 'a mover looks whether it belongs to the fleet'
  | 'moves hold still while a cancel is undecided';

export interface FleetBounds {
  /** Commands of clients. */
  readonly commands: number;
  /** Whether they also delete. */
  readonly deletes: boolean;
  /** Times that a proxy which lives loses its lease. */
  readonly leases: number;
  readonly deaths: number;
  readonly joins: 0 | 1;
  readonly cancels: 0 | 1;
  /** Times that a change is begun. */
  readonly changes: 0 | 1 | 2;
  /** Where it is `available`, a proxy that does not reach the store connects all the same. */
  readonly consistency: Consistency;
  /** Proxies that are members from the start; one more joins. */
  readonly members: 1 | 2;
  /**
   * The phase in which the world begins. `turning`: it has just been recorded, nobody knows of it yet, and a proxy that
   * does not coordinate has the moves.
   */
  readonly begins: 'stable' | 'moving' | 'turning';
}

/** 0: the node has no such key. Others are the numbers of the writes. */
type Copy = number;
type NodeName = 'a' | 'b';
/** 1: from a to b; 2: the change back. */
type Direction = 1 | 2;

/** One state of the ring, as it was recorded; its place in the log is its revision. */
interface Recorded {
  readonly phase: Phase;
  /** Of the change; while the ring is stable, of the one that comes next. */
  readonly direction: Direction;
}

interface Command {
  readonly kind: 'write' | 'delete';
  readonly value: Copy;
  readonly at: NodeName;
}

interface Proxy {
  life: 'none' | 'joining' | 'alive' | 'dead';
  /** The record that it follows. */
  seen: number;
  /** As the store has it. */
  registered: boolean;
  fencedOff: boolean;
  lease: boolean;
  /** The nodes have dropped its connections (since it was fenced off). */
  dropped: boolean;
  /** The record that it has acknowledged; -1: none. */
  acknowledged: number;
  /** It has gone back although it had acknowledged. */
  wentBack: boolean;
  /** `named`: the node knows whose it is; `looked`: it is not known there; `open`: it carries commands. */
  connection: 'none' | 'named' | 'looked' | 'open';
  inFlight: (Command & { readonly isSent: boolean }) | null;
  /** Lies in a node's socket, on a connection that was cut. */
  late: Command | null;
  /** Its claim to move keys, by revision; 0: it has none. */
  claim: number;
  /** Its claim is for this direction. */
  claimOf: Direction;
  /** Its connections as a mover are open. */
  moves: boolean;
  /** As a mover it knows that the key has left its source. */
  settled: boolean;
  transfer: { readonly stage: 'taken' | 'restored'; readonly value: Copy; readonly to: NodeName } | null;
}

/** A proxy that decides about the ring, or has done so. */
interface Coordinator {
  /** Its claim's revision; 0: it was never elected. */
  claim: number;
  /** The record that it has read; -1: none. */
  seen: number;
}

export interface FleetWorld {
  a: Copy;
  b: Copy;
  truth: Copy;
  nextValue: number;
  readonly deletes: boolean;
  readonly consistency: Consistency;
  left: { commands: number; leases: number; deaths: number; joins: number; cancels: number; changes: number };
  log: readonly Recorded[];
  /** The coordinator's claim that is in force: revision and holder. */
  elected: { readonly revision: number; readonly by: number };
  /** The mover's; null: nobody has the job. */
  mover: { readonly revision: number; readonly by: number; readonly direction: Direction } | null;
  nextClaim: number;
  /** Of the proxies 0 and 1. */
  coordinators: readonly [Coordinator, Coordinator];
  proxies: readonly Proxy[];
}

const sourceOf = (direction: Direction): NodeName => (direction === 1 ? 'a' : 'b');
const targetOf = (direction: Direction): NodeName => (direction === 1 ? 'b' : 'a');

function newProxy(life: Proxy['life']): Proxy {
  const isMember = life === 'alive';
  return {
    life,
    seen: 0,
    registered: isMember,
    fencedOff: false,
    lease: isMember,
    dropped: false,
    acknowledged: -1,
    wentBack: false,
    connection: isMember ? 'open' : 'none',
    inFlight: null,
    late: null,
    claim: 0,
    claimOf: 1,
    moves: false,
    settled: false,
    transfer: null,
  };
}

const PASSED = [
  { phase: 'preparing', direction: 1 },
  { phase: 'moving', direction: 1 },
] as const;
const TURNING = { phase: 'turning', direction: 1 } as const;

export function firstFleet(bounds: FleetBounds): FleetWorld {
  const { commands, deletes, leases, deaths, joins, cancels, changes, consistency, members, begins } = bounds;
  const phases = { stable: [], moving: PASSED, turning: [...PASSED, TURNING] } as const satisfies Record<
    FleetBounds['begins'],
    readonly Recorded[]
  >;
  const log: readonly Recorded[] = [{ phase: 'stable', direction: 1 }, ...phases[begins]];
  const turns = begins === 'turning';
  const seen = log.length - (turns ? 2 : 1);
  const member = { ...newProxy('alive'), seen, acknowledged: seen - 1 };
  // One of them has to connect anew.
  const both: readonly Proxy[] = [member, { ...member, connection: 'none', claim: turns ? 2 : 0 }];
  return {
    a: 1,
    b: 0,
    truth: 1,
    nextValue: 2,
    deletes,
    consistency,
    left: { commands, leases, deaths, joins, cancels, changes },
    log,
    elected: { revision: 1, by: 0 },
    mover: turns ? { revision: 2, by: 1, direction: 1 } : null,
    nextClaim: turns ? 3 : 2,
    coordinators: [
      { claim: 1, seen: log.length - 1 },
      { claim: 0, seen: -1 },
    ],
    proxies: [...both.slice(0, members), ...(joins > 0 ? [newProxy('none')] : [])],
  };
}

/** The values alone, in their order: names of fields tell no states apart. */
export function fleetKeyOf({ proxies, log, left, elected, mover, coordinators, ...rest }: FleetWorld): string {
  const records = log.map(({ phase, direction }) => `${phase.slice(0, 1)}${direction}`).join('');
  const own = proxies.map((proxy) => Object.values(proxy).map(short).join());
  const decided = [left, elected, mover ?? {}, ...coordinators].map((part) => Object.values(part).map(short).join());
  return [records, ...own, ...decided, Object.values(rest).join()].join('/');
}

function short(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'object' && value !== null ? Object.values(value).join('') : value;
}

function copyOf(world: FleetWorld): FleetWorld {
  const [first, second] = world.coordinators;
  return {
    ...world,
    left: { ...world.left },
    coordinators: [{ ...first }, { ...second }],
    proxies: world.proxies.map((proxy) => ({ ...proxy })),
  };
}

type After = (name: string, change: (copy: FleetWorld) => string | null) => Step<FleetWorld>;

/** Everything that may happen next. @param without the rule that is left out, or null */
export function* fleetStepsOf(world: FleetWorld, without: FleetRule | null): Generator<Step<FleetWorld>> {
  const after: After = (name, change) => {
    const copy = copyOf(world);
    const violation = change(copy);
    return { name, world: copy, violation };
  };
  yield* coordinatorSteps(world, 0, without, after);
  yield* coordinatorSteps(world, 1, without, after);
  for (const index of world.proxies.keys()) {
    const proxy = proxyAt(world, index);
    const edit: Edit = (name, change) => after(`p${index} ${name}`, (copy) => change(proxyAt(copy, index), copy));
    if (proxy.life === 'alive') {
      yield* followSteps(world, proxy, without, edit);
      yield* connectionSteps(world, proxy, without, edit);
      yield* commandSteps(world, proxy, without, edit);
      yield* moverSteps(world, index, without, edit);
    }
    yield* transferSteps(proxy, edit);
    yield* faultSteps(world, index, without, edit);
  }
}

type Edit = (name: string, change: (own: Proxy, copy: FleetWorld) => string | null) => Step<FleetWorld>;

function proxyAt(world: FleetWorld, index: number): Proxy {
  const proxy = world.proxies[index];
  if (proxy === undefined) throw new RangeError(`there is no proxy ${index}`);
  return proxy;
}

function recordAt(world: FleetWorld, revision: number): Recorded {
  const record = world.log[revision];
  if (record === undefined) throw new RangeError(`there is no record ${revision}`);
  return record;
}

/** As the store has it. */
function memberOf(proxy: Proxy, index: number): FleetMember {
  const answer = proxy.acknowledged < 0 ? null : { revision: proxy.acknowledged, acknowledged: true, why: '' };
  return { id: `p${index}`, alive: proxy.lease, fencedOff: proxy.fencedOff, answer, info: null };
}

/** Whether every member has acknowledged the fence, or no command of its can run any more. */
function isPassed(world: FleetWorld, revision: number, without: FleetRule | null): boolean {
  const members = world.proxies.flatMap((proxy, index) =>
    proxy.registered ? [{ proxy, member: memberOf(proxy, index) }] : [],
  );
  const counted = members.filter(({ member }) => member.alive || without !== '6 everybody counts');
  const since = without === '5 an acknowledgement is of one fence' ? 0 : revision;
  const gone = members.filter(({ member }) => member.fencedOff);
  return (
    mayMove(
      answersTo(
        since,
        counted.map(({ member }) => member),
      ),
    ) &&
    (without === 'a member is dropped by the nodes before it is left out' ||
      gone.every(({ proxy, member }) => mayForget(member, proxy.dropped)))
  );
}

/** Decides about the ring: at its own time, by what it has read. */
function* coordinatorSteps(
  world: FleetWorld,
  by: 0 | 1,
  without: FleetRule | null,
  after: After,
): Generator<Step<FleetWorld>> {
  if (world.proxies[by]?.life !== 'alive') return;
  const own = world.coordinators[by];
  const last = world.log.length - 1;
  if (by === 1 && own.seen < last) {
    yield after('C1 reads the ring', (copy) => {
      copy.coordinators[1].seen = last;
      return null;
    });
  }
  if (by === 1 && own.claim === 0 && !proxyAt(world, world.elected.by).lease && proxyAt(world, 1).lease) {
    yield after('C1 is elected', (copy) => {
      copy.coordinators[1].claim = copy.nextClaim;
      copy.elected = { revision: copy.nextClaim++, by: 1 };
      return null;
    });
  }
  if (own.claim === 0 || own.seen < 0) return;
  yield* passingSteps(world, by, without, after);
  const { phase, direction } = recordAt(world, own.seen);
  const counts = isInForce({ revision: own.claim }, world.elected);
  const mayWrite =
    (counts || without === '5 the claim is compared') &&
    (own.seen === last || without === '5 the revision is compared');
  if (!mayWrite) return;
  const record = (step: RecordStep, to: Direction, use: (copy: FleetWorld) => void = () => {}): Step<FleetWorld> =>
    after(`C${by} records: ${step}`, (copy) => {
      const next = phaseAfter(phase, step);
      if (next === null) throw new Error(`${step} does not follow ${phase}`);
      copy.log = [...copy.log, { phase: next, direction: to }];
      copy.coordinators[by].seen = last + 1;
      use(copy);
      return counts ? null : 'VIOLATION: a coordinator decides by a claim that has passed to another one';
    });
  if (phase === 'stable' && world.left.changes > 0 && direction === 1) {
    yield record('prepare', direction, (copy) => {
      copy.left.changes--;
    });
  }
  if (phase === 'preparing' || phase === 'turning') {
    const turns = phase === 'turning';
    const still = !turns || without === 'moves hold still while a cancel is undecided' || isStill(world);
    if (isPassed(world, own.seen, without) && still) {
      yield record(afterFence(true, turns), turns ? 2 : direction, (copy) => {
        if (turns) copy.mover = null;
      });
    }
    yield record(afterFence(false, turns), direction);
  }
  if (phase === 'moving') {
    if (afterRestart(phase) !== 'go forward') throw new Error('a change whose keys move was given up');
    if (without === '7 what is recorded goes forward' && by === 1) {
      yield after('C1 takes the ring as it was', (copy) => {
        copy.log = [...copy.log, { phase: 'stable', direction }];
        copy.coordinators[1].seen = last + 1;
        return null;
      });
    }
    const mover = world.mover === null ? null : proxyAt(world, world.mover.by);
    if (mover?.settled === true && mover.transfer === null && world.mover?.direction === direction) {
      yield record('finish', direction === 1 ? 2 : 1);
    }
    if (world.left.cancels > 0 && direction === 1) {
      yield record('turn', direction, (copy) => {
        copy.left.cancels--;
      });
    }
  }
}

/** Nothing of any mover that is a member and not dropped is under way: each has acknowledged with that. */
function isStill(world: FleetWorld): boolean {
  return world.proxies.every(({ transfer, dropped, fencedOff }) => transfer === null || (fencedOff && dropped));
}

/** Leaves out a member that does not answer. */
function* passingSteps(
  world: FleetWorld,
  by: 0 | 1,
  without: FleetRule | null,
  after: After,
): Generator<Step<FleetWorld>> {
  // At any time: before a fence, so that no client waits for it, while one stands, and while keys move.
  for (const [index, proxy] of world.proxies.entries()) {
    if (!proxy.registered || index === by) continue;
    // A person who has it forgotten answers for it that it is dead.
    const isPassed = mayPass(world.consistency) || proxy.life === 'dead';
    const may =
      (mayFenceOff(memberOf(proxy, index)) || without === 'only a member whose lease has run out is fenced off') &&
      (isPassed || without === 'nobody is passed where consistency is available');
    if (!proxy.fencedOff && may) {
      yield after(`C${by} fences p${index} off`, (copy) => {
        const own = proxyAt(copy, index);
        own.fencedOff = true;
        if (without !== 'a member is fenced off before the nodes drop it') own.dropped = false;
        return null;
      });
    }
    const early = without === 'a member is fenced off before the nodes drop it' && !proxy.lease;
    if ((proxy.fencedOff || early) && !proxy.dropped) {
      yield after(`the nodes drop p${index}`, (copy) => {
        drop(proxyAt(copy, index));
        return null;
      });
    }
  }
}

/** Only what bears the name. */
function drop(own: Proxy): void {
  own.dropped = true;
  own.late = null;
  if (own.inFlight?.isSent === true) own.inFlight = null;
  if (own.connection === 'named' || own.connection === 'open') own.connection = 'none';
  own.moves = false;
  own.transfer = null;
}

/** What it hears of the ring, and says to fences. */
function* followSteps(
  world: FleetWorld,
  proxy: Proxy,
  without: FleetRule | null,
  edit: Edit,
): Generator<Step<FleetWorld>> {
  if (proxy.seen < world.log.length - 1) {
    yield edit(`hears: ${recordAt(world, proxy.seen + 1).phase}`, (own, copy) => {
      own.seen++;
      own.wentBack = false;
      const { phase, direction } = recordAt(copy, own.seen);
      // Its key was asked for: the client asks anew.
      if (own.inFlight?.isSent === false && phase !== 'moving') takeBack(own, copy);
      if (own.claim > 0 && direction !== own.claimOf && phase === 'moving') {
        own.claim = 0;
        own.moves = false;
        own.settled = false;
      }
      return null;
    });
  }
  const { phase } = recordAt(world, proxy.seen);
  if (phase !== 'preparing' && phase !== 'turning') return;
  if (proxy.late !== null) {
    yield edit(`'s late connection is dropped`, (own) => {
      own.late = null;
      return null;
    });
  }
  const idle = proxy.inFlight === null || without === '1 fence';
  const quiet = proxy.late === null || without === '2 no late command';
  const still = proxy.transfer === null || without === 'moves hold still while a cancel is undecided';
  if (proxy.acknowledged !== proxy.seen && idle && quiet && still && !proxy.fencedOff) {
    yield edit(`acknowledges ${proxy.seen}`, (own) => {
      own.acknowledged = own.seen;
      return null;
    });
  }
  if (without === '4 no way back alone' && phase === 'preparing' && proxy.acknowledged === proxy.seen) {
    yield edit('goes back by itself', (own) => {
      own.wentBack = true;
      return null;
    });
  }
}

function takeBack(own: Proxy, copy: FleetWorld): void {
  own.inFlight = null;
  copy.left.commands++;
}

/** Whether a connection that it opens now may carry anything. */
function belongs({ lease, registered, fencedOff }: Proxy, without: FleetRule | null): boolean {
  const isLeaseValid = lease || without === '8 a lease is counted from when its renewal was sent';
  return mayCarry(isLeaseValid, registered && !fencedOff);
}

/** Connects: is known by name first, looks whether it still belongs to the fleet, then speaks. */
function* connectionSteps(
  world: FleetWorld,
  proxy: Proxy,
  without: FleetRule | null,
  edit: Edit,
): Generator<Step<FleetWorld>> {
  const isLeaseValid = proxy.lease || without === '8 a lease is counted from when its renewal was sent';
  const mayOpen =
    mayCarry(isLeaseValid, proxy.registered && !proxy.fencedOff) ||
    // The store may be out of its reach at any time.
    mayCarry(isLeaseValid, null, world.consistency) ||
    without === '8 first look, then speak';
  const [first, then] =
    without === '8 the name comes before the look' ? (['looked', 'named'] as const) : (['named', 'looked'] as const);
  if (proxy.connection === 'none' && (first === 'named' || mayOpen)) {
    yield edit(`connects (${first})`, (own) => {
      own.connection = first;
      // What is connected now, the nodes have not dropped: that was before.
      return null;
    });
  }
  if (proxy.connection === first && (then === 'named' || mayOpen)) {
    yield edit('may speak', (own) => {
      own.connection = 'open';
      return null;
    });
  }
}

/** Commands of its clients. */
function* commandSteps(
  world: FleetWorld,
  proxy: Proxy,
  without: FleetRule | null,
  edit: Edit,
): Generator<Step<FleetWorld>> {
  const { inFlight } = proxy;
  const { direction } = recordAt(world, proxy.seen);
  if (inFlight === null && world.left.commands > 0 && proxy.connection === 'open') {
    const place = placeOf(world, proxy, without);
    const kinds = world.deletes ? (['write', 'delete'] as const) : (['write'] as const);
    for (const kind of place === null ? [] : kinds) {
      yield edit(
        `begins a ${kind} (${place?.at}${place?.isSent === true ? '' : ', its key is asked for'})`,
        (own, copy) => {
          copy.left.commands--;
          const value = kind === 'write' ? copy.nextValue++ : 0;
          own.inFlight = place === null ? null : { kind, value, ...place };
          return null;
        },
      );
    }
  }
  if (inFlight === null) return;
  if (!inFlight.isSent) {
    // Whoever moves the key, or has moved it, has said so.
    const settled = world.proxies.some((other) => other.settled && other.claimOf === direction && other.claim > 0);
    if (settled && proxy.connection === 'open' && recordAt(world, proxy.seen).phase === 'moving') {
      yield edit(`'s key has arrived`, (own) => {
        own.inFlight = { ...inFlight, isSent: true };
        return null;
      });
    }
    return;
  }
  yield edit(`'s ${inFlight.kind} runs on ${inFlight.at}`, (own, copy) => {
    own.inFlight = null;
    return run(copy, inFlight);
  });
  if (proxy.late === null) {
    yield edit(`'s ${inFlight.kind} times out`, (own) => {
      const { kind, value, at } = inFlight;
      own.late = { kind, value, at };
      own.inFlight = null;
      own.connection = 'none';
      return null;
    });
  }
}

/** Where it sends a command; null: it is held. */
function placeOf(
  world: FleetWorld,
  proxy: Proxy,
  without: FleetRule | null,
): { readonly at: NodeName; readonly isSent: boolean } | null {
  const { phase, direction } = recordAt(world, proxy.seen);
  const from = sourceOf(direction);
  if (phase === 'stable' || (phase === 'preparing' && (proxy.wentBack || without === '1 fence'))) {
    return { at: from, isSent: true };
  }
  const at = targetOf(direction);
  const route = routeMovedKey(phase === 'moving', without === '3 settle before run', false, 0);
  return route === HOLD ? null : { at, isSent: route === ON_TARGET };
}

/** Takes the job of moving keys, or takes it over. */
function* moverSteps(
  world: FleetWorld,
  index: number,
  without: FleetRule | null,
  edit: Edit,
): Generator<Step<FleetWorld>> {
  const proxy = proxyAt(world, index);
  const { phase, direction } = recordAt(world, proxy.seen);
  if (phase !== 'moving') return;
  const { mover } = world;
  const isFree =
    mover === null || mover.direction !== direction || (mover.by !== index && !proxyAt(world, mover.by).lease);
  const claims = isFree || (without === 'a source has one mover' && mover?.by !== index);
  if (proxy.claim === 0 && proxy.lease && claims && recordAt(world, world.log.length - 1).direction === direction) {
    yield edit('claims the moves', (own, copy) => {
      own.claim = copy.nextClaim;
      own.claimOf = direction;
      own.settled = false;
      copy.mover = { revision: copy.nextClaim++, by: index, direction };
      if (without === 'a source has one mover' || without === 'the nodes drop a mover before the next one begins') {
        own.moves = true;
        return null;
      }
      return null;
    });
  }
  if (proxy.claim === 0) return;
  const counts =
    isInForce({ revision: proxy.claim }, mover) || without === 'a mover connects by a claim that is in force';
  const isMember = belongs(proxy, without) || without === 'a mover looks whether it belongs to the fleet';
  if (!proxy.moves && counts && isMember) {
    yield edit('has the nodes drop other movers, and begins', (own, copy) => {
      for (const other of copy.proxies) {
        if (other === own || other.claimOf !== direction || other.claim >= own.claim) continue;
        other.moves = false;
        other.transfer = null;
      }
      own.moves = true;
      return null;
    });
  }
  if (proxy.moves && proxy.transfer === null && !proxy.settled) {
    const from = sourceOf(direction);
    yield edit(`reads the key on ${from}`, (own, copy) => {
      const value = copy[from];
      if (value === 0) own.settled = true;
      else own.transfer = { stage: 'taken', value, to: targetOf(direction) };
      return null;
    });
  }
}

/** What a mover has sent: also what one that has died has sent last. */
function* transferSteps(proxy: Proxy, edit: Edit): Generator<Step<FleetWorld>> {
  const { transfer } = proxy;
  if (transfer === null) return;
  const { stage, value, to } = transfer;
  if (stage === 'taken') {
    yield edit(`restores the key on ${to}`, (own, copy) => {
      copy[to] = value;
      own.transfer = own.life === 'dead' ? null : { stage: 'restored', value, to };
      return null;
    });
  } else {
    const from = to === 'a' ? 'b' : 'a';
    yield edit(`unlinks the key on ${from}`, (own, copy) => {
      copy[from] = 0;
      own.transfer = null;
      own.settled = own.life === 'alive';
      return null;
    });
  }
}

/** Leases that run out, proxies that die or join, late commands that run. */
function* faultSteps(
  world: FleetWorld,
  index: number,
  without: FleetRule | null,
  edit: Edit,
): Generator<Step<FleetWorld>> {
  const proxy = proxyAt(world, index);
  const { late } = proxy;
  if (late !== null) {
    yield edit(`'s late ${late.kind} runs on ${late.at}`, (own, copy) => {
      own.late = null;
      return run(copy, late);
    });
  }
  if (proxy.lease && (proxy.life === 'dead' || world.left.leases > 0)) {
    yield edit(`'s lease runs out`, (own, copy) => {
      own.lease = false;
      if (own.life !== 'dead') copy.left.leases--;
      if (without === '6 members are durable') own.registered = false;
      return null;
    });
  }
  if (proxy.life === 'alive' && !proxy.lease && proxy.registered && !proxy.fencedOff) {
    yield edit('renews its lease', (own) => {
      own.lease = true;
      return null;
    });
  }
  if (proxy.life === 'alive' && world.left.deaths > 0) {
    yield edit('dies', (own, copy) => {
      copy.left.deaths--;
      own.life = 'dead';
      own.connection = 'none';
      if (own.inFlight?.isSent === true) {
        const { kind, value, at } = own.inFlight;
        own.late = { kind, value, at };
      }
      own.inFlight = null;
      own.moves = false;
      own.settled = false;
      return null;
    });
  }
  if (proxy.life === 'none' && world.left.joins > 0) {
    yield edit('reads the ring', (own, copy) => {
      copy.left.joins--;
      own.life = 'joining';
      own.seen = copy.log.length - 1;
      return null;
    });
  }
  if (proxy.life === 'joining') {
    const isLast = proxy.seen === world.log.length - 1;
    if (isLast || without === '9 a joiner has seen the ring as it is') {
      yield edit('registers, and serves', (own) => {
        own.life = 'alive';
        own.registered = without !== '9 a joiner registers before it serves';
        own.lease = true;
        return null;
      });
    } else {
      yield edit('is refused, and reads the ring again', (own, copy) => {
        own.seen = copy.log.length - 1;
        return null;
      });
    }
  }
}

/** A node runs a client's command: its copy must be the truth. */
function run(world: FleetWorld, { kind, value, at }: Command): string | null {
  const copy = world[at];
  if (copy !== world.truth) {
    return `VIOLATION: a ${kind} runs on ${at}, which has ${copy}, while the truth is ${world.truth}`;
  }
  world[at] = kind === 'write' ? value : 0;
  world.truth = world[at];
  return null;
}
