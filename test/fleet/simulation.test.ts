/**
 * A fleet of two hundred, simulated: the code that decides, follows, fences and moves is the program's own; time, the
 * store, the network, the nodes and the data planes are simulated, and a seed decides everything. A referee looks at each
 * command and each batch of keys that a node carries out.
 */
import { expect, it, vi } from 'vitest';
import type { ChangeRequest } from '../../src/admin/api.js';
import { Referee, SimulatedNode } from './simulation/simulated-nodes.js';
import { SimulatedProxy, type Simulation } from './simulation/simulated-proxy.js';
import { ETCD, SimulatedEtcd } from './simulation/simulated-store.js';
import { World } from './simulation/world.js';

vi.mock('../../src/time/timers.js', async () => ({
  systemTimers: (await import('./simulation/world.js')).ambientTimers,
}));

const NODES = ['a', 'b', 'c'].map((name, i) => ({ name, address: `10.0.0.${i + 1}:6379`, weight: 1 }));
const SPARE = { name: 'd', address: '10.0.0.4:6379', weight: 1 };
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
      return proxies.filter(({ isRunning }) => isRunning);
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

/** Asks one of them, in whose place another one may decide. */
function ask(fleet: Stage, request: ChangeRequest): Promise<unknown> {
  const proxy = fleet.world.random.pick(fleet.running);
  return proxy.process.within(() => proxy.manager.change(request)).catch((error: unknown) => error);
}

async function settled(fleet: Stage): Promise<void> {
  const { world, etcd } = fleet;
  await world.until('the change ends', () => etcd.ring?.state.change === null, 300_000);
  await world.until('everybody knows', () =>
    fleet.running.every(({ manager }) => manager.generation === etcd.ring?.state.generation),
  );
}

it.each(SEEDS)(
  'two hundred proxies: changes, a tenth of them lost in every phase, twenty join (seed %i)',
  async (seed) => {
    const fleet = stage(seed);
    const { world, etcd, referee } = fleet;
    await join(fleet, 200);
    expect(etcd.members.size).toBe(200);

    const phase = (): string => etcd.ring?.state.change?.phase ?? 'stable';
    /** A tenth of them is killed, or stalled for longer than its lease. */
    const lose = (): void => {
      const victims = fleet.running.filter(() => world.random.chance(10));
      for (const victim of victims) {
        if (world.random.chance(70)) victim.kill();
        else {
          victim.process.stall();
          world.after(20_000 + world.random.below(5000), () => victim.process.goOn());
        }
      }
    };
    const change = async (request: ChangeRequest, at: string | null): Promise<void> => {
      const asked = ask(fleet, request);
      if (at !== null) {
        await world.until(at, () => phase() === at || etcd.ring?.state.change === null).catch(() => {});
        lose();
      }
      await world.finish('an answer', asked, 300_000);
      await settled(fleet);
    };
    const isIn = (): boolean => etcd.ring?.state.members.some(({ name }) => name === 'd') ?? false;
    const other = (): ChangeRequest => (isIn() ? { kind: 'remove', remove: ['d'] } : { kind: 'add', add: [SPARE] });

    await change(other(), null);
    expect(isIn()).toBe(true);
    for (const at of ['preparing', 'moving']) {
      await change(other(), at);
      // Those who were lost are passed, one way or the other.
      await change(other(), null);
    }
    await join(fleet, 20);
    world.cutBoth(fleet.running[0]?.process.name ?? '', ETCD);
    await change(other(), null);
    world.heal();
    await world.pass(30_000);
    await change(other(), null);

    expect(referee.violations).toEqual([]);
    expect(referee.commands).toBeGreaterThan(1000);
    expect(referee.batches).toBeGreaterThan(50);
    console.log(seed, {
      simulated: world.now,
      steps: world.steps,
      commands: referee.commands,
      batches: referee.batches,
      generation: etcd.ring?.state.generation,
      requests: etcd.requests,
    });
  },
  600_000,
);
