/**
 * What may befall a fleet while its ring changes: each thing in each phase. A phase is waited for, and held open, by nodes that
 * do not get what they are sent (`preparing`, `turning`) or by a throttle (`moving`), so that nothing hangs on luck.
 */
import type { RingView } from '../../src/admin/api.js';
import type { Random } from '../fuzz/random.js';
import type { Fleet, FleetProxy } from '../support/fleet.js';
import type { GatedRelay } from '../support/gated-relay.js';
import { headersFor, post } from '../support/ring-api.js';

type Phase = 'preparing' | 'moving' | 'turning';
type Role = 'coordinator' | 'mover' | 'bystander';
type Fault =
  | { readonly kind: 'killed' | 'stalled' | 'forgotten'; readonly role: Role }
  | { readonly kind: 'etcd killed' | 'etcd without a majority' | 'a node restarted' | 'a proxy joins' };

export interface Round {
  readonly phase: Phase;
  readonly fault: Fault;
}

export function describeRound({ phase, fault }: Round): string {
  return `${phase}: ${'role' in fault ? `the ${fault.role} is ` : ''}${fault.kind}`;
}

/** All of them, in an order of the seed. */
export function allRounds(random: Random): Round[] {
  const rounds: Round[] = [];
  for (const phase of ['preparing', 'moving', 'turning'] as const) {
    for (const role of ['coordinator', 'mover', 'bystander'] as const) {
      if (phase === 'preparing' && role === 'mover') continue;
      for (const kind of ['killed', 'stalled', 'forgotten'] as const) rounds.push({ phase, fault: { kind, role } });
    }
    for (const kind of ['etcd killed', 'etcd without a majority', 'a node restarted', 'a proxy joins'] as const) {
      // Where several proxies have moved keys, none of them remembers on which side of the change each key is: what a
      // restarted node has is dropped, and that is told. Not lost is what is not restarted.
      if (phase === 'turning' && kind === 'a node restarted') continue;
      rounds.push({ phase, fault: { kind } });
    }
  }
  for (let i = rounds.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [rounds[i], rounds[j]] = [rounds[j] as Round, rounds[i] as Round];
  }
  return rounds;
}

/** What was asked of a proxy. */
interface Asked {
  /** Or has failed: then nobody knows whether it is carried out. */
  readonly isRefused: boolean;
  readonly done: Promise<void>;
}

/** Keys a second while the phase `moving` is held open. */
const SLOWLY = 200;

export class Rounds {
  readonly #fleet: Fleet;
  readonly #relays: readonly GatedRelay[];
  readonly #random: Random;
  /** What was refused or has failed, and is no fault: the change ends all the same. */
  readonly refusals: string[] = [];
  /** Rounds in which the phase was reached; in the others the change was refused, or was over before. */
  reached = 0;
  /** What was asked for and is not answered yet. */
  readonly #asked = new Set<Promise<void>>();

  constructor(fleet: Fleet, relays: readonly GatedRelay[], random: Random) {
    this.#fleet = fleet;
    this.#relays = relays;
    this.#random = random;
  }

  async run({ phase, fault }: Round): Promise<void> {
    const before = await this.#fleet.settled();
    // Whoever is asked, or decides, may be what it befalls: then there is no answer for long.
    const asked = this.#begin(before);
    if (await this.#reach(phase, before, asked)) this.reached++;
    const heal = await this.#befall(fault);
    await this.#letGo();
    await heal();
    await this.#end();
  }

  /** Two changes that are asked for at once at two proxies: one is carried out, the other is refused and told why. */
  async twoAtOnce(): Promise<PromiseSettledResult<void>[]> {
    const [one, other] = this.#fleet.running;
    if (one === undefined || other === undefined) throw new Error('two proxies are needed');
    const changes = this.#fleet.spares.map((node, i) => ({
      kind: 'add',
      add: [{ name: `spare${i}`, address: this.#fleet.addressOf(node), weight: 1 }],
    }));
    const asked = await Promise.allSettled([post(one, 'changes', changes[0]), post(other, 'changes', changes[1])]);
    await this.#end();
    return asked;
  }

  /** Asks any proxy for a change, with the phase `moving` to be long. */
  #begin(view: RingView): Asked {
    const random = this.#random;
    const names = view.nodes.map(({ name }) => name);
    const free = this.#fleet.spares.filter((node) => !this.#isMember(view, this.#fleet.addressOf(node)));
    const [spare] = free;
    const { name, weight } = random.pick(view.nodes);
    const kinds: object[] = [{ kind: 'reweight', weights: [{ name, weight: 1 + ((weight + random.below(4)) % 5) }] }];
    if (names.length > 3) kinds.push({ kind: 'remove', remove: [random.pick(names)] });
    if (spare !== undefined) {
      const address = this.#fleet.addressOf(spare);
      kinds.push({ kind: 'add', add: [{ name: `n${view.generation}`, address, weight: 1 }] });
      kinds.push({ kind: 'replace', replace: [{ name: random.pick(names), address }] });
    }
    return this.#ask(random.pick(this.#fleet.running), 'changes', { ...random.pick(kinds), throttle: SLOWLY });
  }

  #isMember(view: RingView, address: string): boolean {
    return view.nodes.some((node) => node.address === address);
  }

  /** @returns whether it is reached; otherwise there was nothing to reach it by */
  async #reach(phase: Phase, before: RingView, asked: Asked): Promise<boolean> {
    switch (phase) {
      case 'preparing':
        for (const relay of this.#relays) relay.keep();
        return this.#reachChange('preparing', before, asked);
      case 'moving':
        return this.#reachChange('moving', before, asked);
      case 'turning': {
        if (!(await this.#reachChange('moving', before, asked))) return false;
        for (const relay of this.#relays) relay.keep();
        this.#ask(this.#random.pick(this.#fleet.running), 'changes/current/cancel', {});
        return true;
      }
    }
  }

  /** Before the change begins there is none to be seen: only its answer tells that there will be none. */
  async #reachChange(phase: 'preparing' | 'moving', { generation }: RingView, asked: Asked): Promise<boolean> {
    const view = await this.#fleet.someone(`a change that is ${phase}`, (seen) => {
      const isBeyond = seen.change?.phase === 'moving' || seen.generation > generation;
      return seen.change?.phase === phase || isBeyond || asked.isRefused;
    });
    return view.change?.phase === phase;
  }

  async #letGo(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.release()));
  }

  /** @returns what makes it good */
  async #befall(fault: Fault): Promise<() => Promise<void>> {
    const fleet = this.#fleet;
    switch (fault.kind) {
      case 'killed': {
        const victim = await this.#victim(fault.role);
        await victim.kill();
        return () => victim.start();
      }
      case 'stalled': {
        const victim = await this.#victim(fault.role);
        const id = await victim.id();
        victim.stall();
        return async () => {
          await this.#gone(id, victim);
          victim.goOn();
          await this.#back(victim);
        };
      }
      case 'forgotten': {
        const victim = await this.#victim(fault.role);
        const id = await victim.id();
        victim.stall();
        return async () => {
          const others = await this.#gone(id, victim);
          const other = this.#random.pick(others);
          const answer = await fetch(`${other.admin}/v1/proxies/${id}`, {
            method: 'DELETE',
            headers: headersFor({ admin: other.admin, token: other.token }),
          });
          // It may have been passed, and taken out, by itself.
          if (!answer.ok) this.refusals.push(await answer.text());
          victim.goOn();
          await this.#back(victim);
        };
      }
      case 'etcd killed':
        await fleet.etcd.kill();
        return () => fleet.etcd.restart();
      case 'etcd without a majority': {
        const down = fleet.etcd.members.slice(1);
        await Promise.all(down.map((member) => member.kill()));
        return async () => {
          await Promise.all(down.map((member) => member.restart()));
        };
      }
      case 'a node restarted':
        await this.#random.pick(fleet.nodes).restart();
        return () => Promise.resolve();
      case 'a proxy joins': {
        const joined = fleet.join();
        return async () => {
          await joined;
        };
      }
    }
  }

  async #victim(role: Role): Promise<FleetProxy> {
    const fleet = this.#fleet;
    const coordinator = await fleet.coordinator();
    if (role === 'coordinator') return coordinator;
    const view = await coordinator.view();
    const owners = new Set((view.change?.sources ?? []).map(({ owner }) => owner));
    const others: { proxy: FleetProxy; moves: boolean }[] = [];
    for (const proxy of fleet.running) {
      if (proxy !== coordinator) others.push({ proxy, moves: owners.has(await proxy.id()) });
    }
    const fitting = others.filter(({ moves }) => moves === (role === 'mover'));
    return this.#random.pick(fitting.length > 0 ? fitting : others).proxy;
  }

  /** Waits until the others know that the member is not alive, and that the change goes on or has ended without it. */
  async #gone(id: string, victim: FleetProxy): Promise<FleetProxy[]> {
    const others = this.#fleet.running.filter((proxy) => proxy !== victim);
    const isGone = (view: RingView): boolean => !view.proxies.some((proxy) => proxy.id === id && proxy.alive);
    await this.#fleet.everyone(`${victim.name} is not alive for the others`, isGone, others);
    return others;
  }

  /** Waits until it is a member again, as it says itself. */
  async #back(victim: FleetProxy): Promise<void> {
    const isBack = ({ coordination, proxies }: RingView): boolean =>
      proxies.some(({ id, alive, fencedOff }) => id === coordination.proxy && alive && !fencedOff);
    await this.#fleet.everyone(`${victim.name} is back in the fleet`, isBack, [victim]);
  }

  /** Whatever is under way ends: by itself, or when any proxy is told to go on; also what has yet to begin. */
  async #end(): Promise<void> {
    const fleet = this.#fleet;
    for (const deadline = performance.now() + 60_000; performance.now() < deadline; ) {
      const proxy = this.#random.pick(fleet.running);
      const isAnswered = this.#asked.size === 0;
      const view = await proxy.viewOrNull();
      if (view !== null && view.change === null && isAnswered) break;
      if (view?.change?.paused || view?.change?.error != null)
        await this.#ask(proxy, 'changes/current/resume', {}).done;
      else if (view?.change?.throttle === SLOWLY) {
        await this.#ask(proxy, 'changes/current/throttle', { keysPerSecond: 0 }).done;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await fleet.settled();
    await fleet.everyone('all proxies alive', ({ proxies }) => {
      return proxies.filter(({ alive, fencedOff }) => alive && !fencedOff).length === fleet.running.length;
    });
  }

  #ask(proxy: FleetProxy, path: string, body: object): Asked {
    const asked = { isRefused: false };
    const done = post(proxy, path, body)
      .catch((error: unknown) => {
        asked.isRefused = true;
        this.refusals.push(String(error));
      })
      .then(() => {
        this.#asked.delete(done);
      });
    this.#asked.add(done);
    return Object.assign(asked, { done });
  }
}
