/**
 * A fleet of two hundred, simulated: the code that decides, follows, fences and moves is the program's own; time, the
 * store, the network, the nodes and the data planes are simulated, and a seed decides everything. A referee looks at each
 * command and each batch of keys that a node carries out.
 */
import { expect, it, vi } from 'vitest';
import type { ChangeRequest } from '../../src/admin/api.js';
import type { ChangePhase } from '../../src/topology/state/ring-state.js';
import { Referee, SimulatedNode } from './simulation/simulated-nodes.js';
import { SimulatedProxy, type Simulation } from './simulation/simulated-proxy.js';
import { SimulatedEtcd } from './simulation/simulated-store.js';
import { World } from './simulation/world.js';

vi.mock('../../src/time/timers.js', async () => ({
  systemTimers: (await import('./simulation/world.js')).ambientTimers,
}));

const NODES = ['a', 'b', 'c'].map((name, i) => ({ name, address: `10.0.0.${i + 1}:6379`, weight: 1 }));
const SPARE = { name: 'd', address: '10.0.0.4:6379', weight: 1 };
const SIZE = Number(process.env.FLEET_SIZE ?? 200);
const SEEDS = Array.from({ length: Number(process.env.FLEET_SEEDS ?? 1) }, (_, i) => i + 1);

interface Stage extends Simulation {
  readonly referee: Referee;
  readonly running: SimulatedProxy[];
}

function stage(seed: number): Stage {
  const world = new World(seed);
  // Whoever draws by chance draws by the seed.
  vi.spyOn(Math, 'random').mockImplementation(() => world.random.below(2 ** 30) / 2 ** 30);
  const etcd = new SimulatedEtcd(world);
  const referee = new Referee(etcd);
  const nodes = new Map([...NODES, SPARE].map(({ address }) => [address, new SimulatedNode(address, referee)]));
  const proxies: SimulatedProxy[] = [];
  world.check = () => {
    if (referee.violations.length > 0) throw new Error(referee.violations.slice(0, 3).join('\n'));
  };
  return {
    world,
    etcd,
    nodes,
    proxies,
    referee,
    get running() {
      // One that was passed is none of them any more.
      return proxies.filter(({ isRunning, id }) => isRunning && etcd.members.get(id)?.fencedOff === false);
    },
  };
}

async function join(fleet: Stage, count: number): Promise<void> {
  const joined = Array.from({ length: count }, () => new SimulatedProxy(fleet));
  const [first, ...others] = joined;
  if (fleet.etcd.ring === null && first !== undefined) await fleet.world.finish('the first joins', first.start(NODES));
  const rest = fleet.etcd.members.size <= 1 && first !== undefined && joined.length > 1 ? others : joined;
  await fleet.world.finish('all join', Promise.all(rest.map((proxy) => proxy.start([]))));
}

/** Asks one of them, in whose place another one may decide. @returns what it says: `done`, or why not */
function ask(fleet: Stage, what: ChangeRequest | 'cancel'): Promise<string> {
  const { manager, process } = fleet.world.random.pick(fleet.running);
  return process
    .within(() => (what === 'cancel' ? manager.cancel() : manager.change(what)))
    .then(
      () => 'done',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
}

async function settled({ world, etcd, running }: Stage): Promise<void> {
  await world.until('the change ends', () => etcd.ring?.state.change === null, 300_000);
  const everybody = (): boolean =>
    running.every(({ id, manager }) => !etcd.members.has(id) || manager.generation === etcd.ring?.state.generation);
  await world.until('everybody knows', everybody);
}

const isIn = ({ etcd }: Stage): boolean => etcd.ring?.state.members.some(({ name }) => name === 'd') ?? false;
const next = (fleet: Stage): ChangeRequest =>
  isIn(fleet) ? { kind: 'remove', remove: ['d'] } : { kind: 'add', add: [SPARE] };

/** A tenth of them is killed, or stalled for longer than its lease. */
function lose({ world, running }: Stage): void {
  for (const victim of running.filter(() => world.random.chance(10))) {
    if (world.random.chance(70)) victim.kill();
    else {
      victim.process.stall();
      world.after(25_000 + world.random.below(5000), () => victim.process.goOn());
    }
  }
}

/** A change that is carried out. */
async function change(fleet: Stage): Promise<void> {
  const { world } = fleet;
  expect(await world.finish('an answer', ask(fleet, next(fleet)))).toBe('done');
  await settled(fleet);
}

/** A change in which a tenth of them is lost at some moment: it ends, one way or the other. */
async function changeWithLosses(fleet: Stage, at: ChangePhase): Promise<void> {
  const { world, etcd } = fleet;
  const is = (phase: ChangePhase): boolean => etcd.ring?.state.change?.phase === phase;
  // Who has asked may be lost with its answer.
  void ask(fleet, next(fleet));
  if (at === 'turning') {
    await world.until('keys move', () => is('moving'));
    void ask(fleet, 'cancel');
  }
  await world.until(at, () => is(at));
  lose(fleet);
  await settled(fleet);
  // Whoever was lost is passed, when its lease has run out.
  const live = (): boolean => etcd.list().every(({ id, alive }) => alive && fleet.running.some((one) => one.id === id));
  await world.until('the lost ones are passed', live);
}

it.each(SEEDS)(
  'two hundred proxies: a tenth of them is lost in every phase, twenty join (seed %i)',
  async (seed) => {
    const fleet = stage(seed);
    const { world, etcd, referee } = fleet;
    await join(fleet, SIZE);
    expect(etcd.members.size).toBe(SIZE);
    await change(fleet);
    for (const at of ['preparing', 'moving', 'turning'] as const) {
      await changeWithLosses(fleet, at);
      await change(fleet);
    }
    const asked = ask(fleet, next(fleet));
    await world.until('keys move', () => etcd.ring?.state.change?.phase === 'moving');
    await join(fleet, 20);
    expect(await world.finish('an answer', asked)).toBe('done');
    await settled(fleet);
    await change(fleet);
    expect(referee.violations).toEqual([]);
    expect(referee.commands).toBeGreaterThan(10 * SIZE);
    expect(referee.batches).toBeGreaterThanOrEqual(5 * 10 * 3);
    // The record has one writer at a time.
    const claims = etcd.writers.map(({ claim }) => claim);
    expect(claims).toEqual([...claims].sort((a, b) => a - b));
    const told = { simulated: world.now, steps: world.steps, commands: referee.commands, requests: etcd.requests };
    if (process.env.FLEET_TELL) console.log(seed, told);
  },
  600_000,
);
