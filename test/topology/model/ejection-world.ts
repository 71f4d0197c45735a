/**
 * A node that is ejected and comes back, as a world of small steps: one key, which belongs to node A while that is in the
 * ring, and to node B while it is not; two proxies, of which either may stand still for as long as it likes, and lose its
 * lease. A may die and start anew with what it has on its disk, or hang and go on, at any time. What lies on a connection
 * to it may run late.
 *
 * What decides is the code that runs: which record may follow which, and what is kept of the node (`transitions.ts`,
 * `ejection.ts`), whose answers count (`fleet.ts`, `change-protocol.ts`), where a command goes (`moved-key.ts`). What a
 * ring change with its fences does otherwise is explored in `world.ts` and `fleet-world.ts`.
 *
 * Invariant: a client that is answered was answered by the truth, which is what all commands before have made of it. What
 * A had is lost with it, or goes back to what its disk has, while it owns the key; nothing else is.
 */
import { HOLD, ON_TARGET, routeMovedKey } from '../../../src/proxy/route/moving/moved-key.js';
import { mayMove } from '../../../src/topology/state/change-protocol.js';
import { ejectedNode, ejectedNow, returning } from '../../../src/topology/state/ejection.js';
import { answersTo, type FleetMember, mayCarry, mayFenceOff, mayForget } from '../../../src/topology/state/fleet.js';
import type { Member, RingState, RunningChange } from '../../../src/topology/state/ring-state.js';
import {
  finish,
  giveUp,
  goOn,
  move,
  phaseOf,
  prepare,
  turn,
  turnRound,
} from '../../../src/topology/state/transitions.js';
import type { Step } from './explore.js';

/** A rule that can be left out. */
export type EjectionRule =
  | 'the fence is over all proxies'
  | 'what is given up is cut before it is acknowledged'
  | 'a proxy that is passed was dropped by the node as well'
  | 'the node drops the connections of before when it comes back'
  | 'it drops them before it is emptied'
  | 'it is emptied'
  | 'its disk is emptied'
  | 'it is the process that was emptied'
  | 'a node is given up in its return behind a fence';

export interface EjectionBounds {
  readonly commands: number;
  /** Times that A dies. */
  readonly deaths: number;
  /** Times that A hangs. */
  readonly hangs: number;
  /** Times that A writes a snapshot by itself. */
  readonly saves: number;
  /** Times that a proxy loses its lease. */
  readonly leases: number;
  readonly ejections: number;
  readonly returns: number;
  /** Times that a return is given up. */
  readonly abandons: number;
}

/** 0: there is none. Others are the numbers of the writes. */
type Copy = number;

interface Command {
  readonly kind: 'write' | 'read';
  readonly value: Copy;
  /** The generation in which the node was a member last, as its sender knew it. */
  readonly era: number;
}

interface Proxy {
  readonly seen: number;
  readonly registered: boolean;
  readonly fencedOff: boolean;
  readonly lease: boolean;
  readonly acknowledged: number;
  /** It has a connection to A that carries commands. */
  readonly connected: boolean;
  readonly inFlight: (Command & { readonly at: 'a' | 'b' }) | null;
  /** Lies in A's socket, on a connection that was cut. */
  readonly late: Command | null;
}

export interface EjectionWorld {
  readonly a: {
    readonly copy: Copy;
    readonly disk: Copy;
    readonly life: 'up' | 'hung' | 'dead';
    readonly process: number;
  };
  readonly b: Copy;
  readonly truth: Copy;
  readonly nextValue: number;
  /** Times that A was taken out. */
  readonly era: number;
  readonly log: readonly RingState[];
  readonly proxies: readonly [Proxy, Proxy];
  /** Of a return: how far A is made ready. */
  readonly ready: 'no' | 'dropped' | 'emptied' | 'saved';
  /** The process that was emptied. */
  readonly emptied: number;
  /** Of a return: the key at B has been read, is at A, or has left B. */
  readonly moved: 'no' | 'taken' | 'restored' | 'settled';
  /** The process that was given it. */
  readonly given: number;
  readonly left: EjectionBounds;
}

const member = (name: string, id: number): Member => ({ name, address: `${name}:1`, weight: 1, id, access: {} });
const A = member('a', 0);
const B = member('b', 1);
const AT = '2026-01-01T00:00:00.000Z';
const OPTIONS: RingState['options'] = {
  hash: 'murmur3',
  distribution: 'ketama',
  hashTag: '',
  vnodes: 1,
  weighting: 'own',
};

const PROXY: Proxy = {
  seen: 0,
  registered: true,
  fencedOff: false,
  lease: true,
  acknowledged: -1,
  connected: true,
  inFlight: null,
  late: null,
};

export function firstEjection(left: EjectionBounds): EjectionWorld {
  return {
    a: { copy: 1, disk: 0, life: 'up', process: 1 },
    ...{ b: 0, truth: 1, nextValue: 2, era: 0 },
    log: [{ generation: 1, members: [A, B], options: OPTIONS, change: null }],
    proxies: [PROXY, PROXY],
    ...{ ready: 'no', emptied: 0, moved: 'no', given: 0, left },
  };
}

/** The ring's records by what tells them apart here. */
export function ejectionKeyOf({ log, proxies, a, left, ...rest }: EjectionWorld): string {
  const records = log.map((state) => `${phaseOf(state)[0]}${state.change?.kind[0] ?? ''}${nodesOf(state)}`);
  const own = proxies.map((proxy) => JSON.stringify(Object.values(proxy)));
  return [records.join(), ...own, Object.values(a).join(), Object.values(left).join(), Object.values(rest).join()].join(
    '/',
  );
}

function nodesOf({ members, change }: RingState): string {
  const names = (nodes: readonly Member[]): string => nodes.map(({ name }) => name).join('');
  return `${names(members)}${change === null ? '' : `>${names(change.members)}-${change.undrained.join('')}`}`;
}

type Make = (name: string, world: Partial<EjectionWorld>, violation?: string | null) => Step<EjectionWorld>;

/** Everything that may happen next. @param without the rule that is left out, or null */
export function* ejectionStepsOf(world: EjectionWorld, without: EjectionRule | null): Generator<Step<EjectionWorld>> {
  const make: Make = (name, change, violation = null) => ({ name, world: { ...world, ...change }, violation });
  yield* coordinatorSteps(world, without, make);
  yield* nodeSteps(world, make);
  for (const index of [0, 1] as const) yield* proxySteps(world, index, without, make);
}

const lastOf = ({ log }: EjectionWorld): RingState => log.at(-1) as RingState;
const has = (members: readonly Member[], node: Member): boolean => members.some(({ name }) => name === node.name);

/** Which node has the truth, by the last record. */
function ownerOf(world: EjectionWorld): 'a' | 'b' {
  const { members, change } = lastOf(world);
  if (change?.phase === 'moving' || change?.phase === 'turning') {
    if (change.kind === 'return') return world.moved === 'settled' ? 'a' : 'b';
    return 'b';
  }
  return has(members, A) ? 'a' : 'b';
}

const withProxy = (world: EjectionWorld, index: 0 | 1, change: Partial<Proxy>): Pick<EjectionWorld, 'proxies'> => {
  const [first, second] = world.proxies;
  return { proxies: index === 0 ? [{ ...first, ...change }, second] : [first, { ...second, ...change }] };
};

const everyProxy = (world: EjectionWorld, change: (proxy: Proxy) => Partial<Proxy>): Pick<EjectionWorld, 'proxies'> => {
  const [first, second] = world.proxies;
  return {
    proxies: [
      { ...first, ...change(first) },
      { ...second, ...change(second) },
    ],
  };
};

/** A drops what it has of a proxy. */
const dropped = ({ inFlight }: Proxy): Partial<Proxy> => ({
  connected: false,
  late: null,
  inFlight: inFlight?.at === 'a' ? null : inFlight,
});

function spent(left: EjectionBounds, what: keyof EjectionBounds): EjectionBounds {
  return { ...left, [what]: left[what] - 1 };
}

function memberOf({ lease, fencedOff, acknowledged }: Proxy, index: number): FleetMember {
  const answer = acknowledged < 0 ? null : { revision: acknowledged, acknowledged: true, why: '' };
  return { id: `p${index}`, alive: lease, fencedOff, answer, info: null };
}

/** Decides, and carries out; one that stands still or dies is explored elsewhere. */
function* coordinatorSteps(
  world: EjectionWorld,
  without: EjectionRule | null,
  make: Make,
): Generator<Step<EjectionWorld>> {
  const { log, a, left, proxies } = world;
  const state = lastOf(world);
  const phase = phaseOf(state);
  const record = (name: string, next: RingState, more: Partial<EjectionWorld> = {}): Step<EjectionWorld> =>
    make(`records: ${name}`, { log: [...log, next], ...more });
  const change = (kind: 'eject' | 'return', members: readonly Member[]): Omit<RunningChange, 'phase'> => ({
    ...{ id: `${log.length}`, kind, members, startedAt: AT, summary: '', processes: [], undrained: [] },
  });
  const ejecting = (node: Member): ReturnType<typeof ejectedNode> =>
    ejectedNode(state, node, { at: AT, why: '', proxies: ['p0', 'p1'] });

  // Members that are dead are left out before a fence, and while nothing is given up: then A is asked as well.
  const asksA = has(state.members, A) || (state.change !== null && has(state.change.members, A));
  if (phase === 'stable' || phase === 'moving') {
    for (const index of [0, 1] as const) {
      const proxy = proxies[index];
      if (!proxy.registered) continue;
      if (!proxy.fencedOff && mayFenceOff(memberOf(proxy, index))) {
        yield make(`fences p${index} off`, withProxy(world, index, { fencedOff: true }));
      }
      const answers =
        !asksA || a.life !== 'hung' || without === 'a proxy that is passed was dropped by the node as well';
      if (!proxy.fencedOff || !answers || !mayForget(memberOf(proxy, index), true)) continue;
      const isAsked = asksA && a.life === 'up';
      yield make(`passes p${index}`, withProxy(world, index, { registered: false, ...(isAsked && dropped(proxy)) }));
    }
  }
  // Whoever is fenced off and not passed keeps everything from being begun.
  const isWhole = proxies.every(({ registered, fencedOff }) => !registered || !fencedOff);
  const isPassed = (): boolean => {
    const counted = proxies.flatMap((proxy, index) => (proxy.registered ? [memberOf(proxy, index)] : []));
    const asked = without === 'the fence is over all proxies' ? counted.slice(0, 1) : counted;
    return mayMove(answersTo(log.length - 1, asked)) && isWhole;
  };
  if (phase === 'stable' && isWhole) {
    if (has(state.members, A) && left.ejections > 0) {
      const begun = { ...change('eject', [B]), undrained: ['a'], ejecting: [ejecting(A)] };
      yield record('eject', prepare(state, begun), { left: spent(left, 'ejections') });
    }
    const [node] = ejectedNow(state);
    if (node !== undefined && left.returns > 0 && a.life === 'up') yield* readySteps(world, without, make);
    const isReady = world.ready === 'saved' || (world.ready === 'emptied' && without === 'its disk is emptied');
    if (node !== undefined && isReady) {
      yield record('return', prepare(state, change('return', [B, A])), { ready: 'no', left: spent(left, 'returns') });
    }
  }
  if (phase === 'preparing') {
    if (isPassed()) {
      if (state.change?.kind === 'eject') {
        // What A had is lost with it.
        yield record('A is given up', finish(move(state, [])), { truth: world.b, era: world.era + 1 });
      } else if (a.process === world.emptied || without === 'it is the process that was emptied') {
        yield record('keys move', move(state, []), { moved: 'no' });
      }
    }
    yield record('nothing has changed', giveUp(state));
  }
  const coming = returning(state);
  if (phase === 'moving' && coming !== null) {
    yield* moveSteps(world, make);
    if (world.moved === 'settled') yield record('A is back', finish(state));
    if (left.abandons > 0 && isWhole) {
      const turned = turn(state, ['a'], [ejecting(A)]);
      const next = { left: spent(left, 'abandons') };
      if (without === 'a node is given up in its return behind a fence') {
        yield record('A is given up', afterTurn(turned), { ...next, truth: world.b, era: world.era + 1, moved: 'no' });
      } else yield record('A is to be given up', turned, next);
    }
  }
  if (phase === 'turning') {
    if (isPassed())
      yield record('A is given up', afterTurn(state), { truth: world.b, era: world.era + 1, moved: 'no' });
    yield record('it goes on', goOn(state));
  }
}

function afterTurn(turned: RingState): RingState {
  return finish(turnRound(turned, { id: 'turned', startedAt: AT }, {}));
}

/** A is made ready to come back. */
function* readySteps(world: EjectionWorld, without: EjectionRule | null, make: Make): Generator<Step<EjectionWorld>> {
  const { a, ready } = world;
  const drop = everyProxy(world, dropped);
  const empty = { a: { ...a, copy: 0 }, emptied: a.process };
  if (ready === 'no' && without === 'it drops them before it is emptied') {
    yield make('A is emptied, and then drops what is connected', { ...empty, ...drop, ready: 'emptied' });
    yield make('A is emptied', { ...empty, ready: 'dropped' });
  } else if (ready === 'no') {
    const keeps = without === 'the node drops the connections of before when it comes back';
    yield make('A drops what is connected', { ...(!keeps && drop), ready: 'dropped' });
  }
  if (ready === 'dropped') {
    if (without === 'it is emptied') yield make('A is left as it is', { emptied: a.process, ready: 'emptied' });
    else if (without === 'it drops them before it is emptied')
      yield make('A drops what is connected', { ...drop, ready: 'emptied' });
    else yield make('A is emptied', { ...empty, ready: 'emptied' });
  }
  if (ready === 'emptied' && without !== 'its disk is emptied') {
    yield make("A's disk is emptied", { a: { ...a, disk: a.copy }, ready: 'saved' });
  }
}

/** The key goes from B to A. */
function* moveSteps({ a, b, moved, given }: EjectionWorld, make: Make): Generator<Step<EjectionWorld>> {
  if (moved === 'no') yield make('the key is read on B', { moved: b === 0 ? 'settled' : 'taken' });
  if (moved === 'taken' && a.life === 'up') {
    yield make('the key is restored on A', { a: { ...a, copy: b }, moved: 'restored', given: a.process });
  }
  if (moved === 'restored') {
    // What has died in between had it already: it is lost with it.
    const isLost = a.life !== 'dead' && a.process !== given;
    yield make('the key is unlinked on B', { b: 0, moved: 'settled', ...(isLost && { truth: a.copy }) });
  }
}

/** What may happen to A. */
function* nodeSteps(world: EjectionWorld, make: Make): Generator<Step<EjectionWorld>> {
  const { a, left } = world;
  if (a.life !== 'dead' && left.deaths > 0) {
    yield make('A dies', {
      a: { ...a, life: 'dead', copy: 0 },
      ...everyProxy(world, dropped),
      left: spent(left, 'deaths'),
    });
  }
  if (a.life === 'dead') {
    // As long as it owns the key, what it has of it is what there is of it.
    const owns = ownerOf(world) === 'a';
    yield make('A starts', {
      a: { ...a, life: 'up', copy: a.disk, process: a.process + 1 },
      ...(owns && { truth: a.disk }),
    });
  }
  if (a.life === 'up' && left.hangs > 0) {
    yield make('A hangs', { a: { ...a, life: 'hung' }, left: spent(left, 'hangs') });
  }
  if (a.life === 'hung') yield make('A goes on', { a: { ...a, life: 'up' } });
  if (a.life === 'up' && left.saves > 0 && a.disk !== a.copy) {
    yield make('A saves', { a: { ...a, disk: a.copy }, left: spent(left, 'saves') });
  }
}

function* proxySteps(
  world: EjectionWorld,
  index: 0 | 1,
  without: EjectionRule | null,
  make: Make,
): Generator<Step<EjectionWorld>> {
  const proxy = world.proxies[index];
  const { a, log, left } = world;
  const state = log[proxy.seen] as RingState;
  const edit = (
    name: string,
    change: Partial<Proxy>,
    more: Partial<EjectionWorld> = {},
    violation: string | null = null,
  ): Step<EjectionWorld> => make(`p${index} ${name}`, { ...withProxy(world, index, change), ...more }, violation);

  if (proxy.lease && left.leases > 0)
    yield edit("'s lease runs out", { lease: false }, { left: spent(left, 'leases') });
  const next = log[proxy.seen + 1];
  if (next !== undefined) {
    const cuts = isGone(next) && without !== 'what is given up is cut before it is acknowledged';
    yield edit(`hears: ${phaseOf(next)} ${next.change?.kind ?? ''}`, { seen: proxy.seen + 1, ...(cuts && cut(proxy)) });
  }
  if (proxy.late !== null && a.life === 'up') {
    const { kind, value, era } = proxy.late;
    // Nobody is answered; what it writes counts while the node has not been given up.
    const counts = kind === 'write' && era === world.era && ownerOf(world) === 'a';
    const copy = kind === 'write' ? value : a.copy;
    yield edit("'s late command runs", { late: null }, { a: { ...a, copy }, ...(counts && { truth: value }) });
  }
  const phase = phaseOf(state);
  const isFence = phase === 'preparing' || phase === 'turning';
  const idle =
    proxy.inFlight === null || (isGone(state) && without === 'what is given up is cut before it is acknowledged');
  const quiet = proxy.late === null || isGone(state);
  if (isFence && idle && quiet && proxy.acknowledged !== proxy.seen && proxy.lease) {
    yield edit(`acknowledges ${proxy.seen}`, { acknowledged: proxy.seen });
  }
  if (!proxy.connected && a.life === 'up' && !isGone(state) && proxy.late === null) {
    if (mayCarry(proxy.lease, proxy.registered && !proxy.fencedOff)) yield edit('connects to A', { connected: true });
  }
  yield* commandSteps(world, proxy, state, edit);
}

/** A command that is under way at A lies there. */
function cut({ inFlight, late }: Proxy): Partial<Proxy> {
  if (inFlight?.at !== 'a') return { connected: false };
  const { kind, value, era } = inFlight;
  return { connected: false, inFlight: null, late: late ?? { kind, value, era } };
}

/** A is none of the ring, or is given up: nobody speaks to it. */
function isGone({ members, change }: RingState): boolean {
  if (change === null) return !has(members, A);
  return change.undrained.includes('a') || !(has(members, A) || has(change.members, A));
}

function* commandSteps(
  world: EjectionWorld,
  proxy: Proxy,
  state: RingState,
  edit: (
    name: string,
    change: Partial<Proxy>,
    more?: Partial<EjectionWorld>,
    violation?: string | null,
  ) => Step<EjectionWorld>,
): Generator<Step<EjectionWorld>> {
  const { a, left, truth } = world;
  const { inFlight } = proxy;
  if (inFlight === null && left.commands > 0) {
    const at = placeOf(world, state);
    // B answers whoever is a member; what others are connected to there, it has dropped.
    const mayGo = at === 'a' ? proxy.connected : proxy.registered && !proxy.fencedOff;
    if (at !== null && mayGo) {
      const { era, nextValue: value } = world;
      const more = { left: spent(left, 'commands') };
      yield edit(`sends a read to ${at}`, { inFlight: { kind: 'read', value: 0, at, era } }, more);
      yield edit(
        `sends a write to ${at}`,
        { inFlight: { kind: 'write', value, at, era } },
        { ...more, nextValue: value + 1 },
      );
    }
  }
  if (inFlight === null || (inFlight.at === 'a' && a.life !== 'up')) return;
  const { kind, value, at } = inFlight;
  const copy = at === 'a' ? a.copy : world.b;
  const violation =
    copy === truth ? null : `VIOLATION: a ${kind} is answered by ${at}, which has ${copy}; the truth is ${truth}`;
  const ran = kind === 'write' ? { truth: value, ...(at === 'a' ? { a: { ...a, copy: value } } : { b: value }) } : {};
  yield edit(`is answered a ${kind} by ${at}`, { inFlight: null }, ran, violation);
  if (at === 'a' && proxy.late === null) yield edit(`waits no longer for a ${kind}`, cut(proxy));
}

/** Where it sends a command; null: it is held. */
function placeOf(world: EjectionWorld, state: RingState): 'a' | 'b' | null {
  const { members, change } = state;
  const from = has(members, A) ? 'a' : 'b';
  if (change === null) return from;
  if (change.phase !== 'moving') return routeMovedKey(false, false, false, 0) === HOLD ? null : from;
  const settled = lastOf(world).change?.id === change.id ? world.moved === 'settled' : has(lastOf(world).members, A);
  return routeMovedKey(true, settled, false, 0) === ON_TARGET ? 'a' : null;
}
