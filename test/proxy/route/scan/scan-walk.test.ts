/** SCAN returns every key that is there all the time, whatever the ring does between its pages. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cursorBehind, placeOf, walkOf } from '../../../../src/proxy/route/scan/scan-walk.js';
import type { RoutingSnapshot } from '../../../../src/proxy/snapshot.js';
import { buildRingSync } from '../../../../src/ring/build.js';
import { DEFAULT_RING_OPTIONS, type Ring, type RingOptions } from '../../../../src/ring/ring.js';
import { Rings } from '../../../../src/ring/rings.js';
import { overNodes } from '../../../../src/ring/union.js';
import {
  firstState,
  type Member,
  nextMembers,
  type RingState,
  unionOf,
} from '../../../../src/topology/state/ring-state.js';

const KEYS = Array.from({ length: 120 }, (_, i) => Buffer.from(`key:${i}`));
/** Pages of a node's walk. */
const PAGES = 4;

type Snapshot = Pick<RoutingSnapshot, 'generation' | 'phase' | 'rings' | 'nodes'>;

/** A ring whose keys all stay there, on nodes that may change, as the manager of the ring changes them. */
function routed(member: Member): Snapshot['nodes'][number] {
  return { ...member, username: '', password: '' };
}

class RingWorld {
  state: RingState;
  ring: Ring;
  snapshot: Snapshot;
  /** Where each key is, by the node's name and address. */
  readonly places: string[];
  #next: Member[] | null = null;
  #nodes = 0;

  constructor(options: RingOptions, nodes: number) {
    const specs = Array.from({ length: nodes }, () => this.#node());
    this.state = firstState(specs, options);
    this.ring = buildRingSync(this.state.members, options);
    this.snapshot = this.#stable();
    this.places = KEYS.map((key) => nameOf(this.snapshot.nodes[this.ring.ownerOf(key, 0, key.length)]));
  }

  /** One step of what may happen; which one is chosen by two numbers. */
  step(what: number, which: number): void {
    const { phase } = this.snapshot;
    if (phase === 'stable') this.#begin(what % 5, which);
    else if (phase === 'preparing') {
      if (what % 3 === 0) this.snapshot = this.#stable();
      else this.snapshot = { ...this.snapshot, phase: 'moving' };
    } else if (what % 8 === 0) this.#turnRound();
    else if (what % 8 === 1) this.#finish();
    else this.#move(which);
  }

  /** What the node with this index answers to SCAN. */
  page(index: number, cursor: number): { keys: number[]; next: number } {
    const name = nameOf(this.snapshot.nodes[index]);
    const keys = KEYS.flatMap((_, i) => (this.places[i] === name && i % PAGES === cursor ? [i] : []));
    return { keys, next: (cursor + 1) % PAGES };
  }

  #node(): { name: string; address: string; weight: number } {
    const name = `n${this.#nodes++}`;
    return { name, address: `${name}:1`, weight: 1 };
  }

  #stable(): Snapshot {
    const { generation, members } = this.state;
    return { generation, phase: 'stable', rings: new Rings(this.ring, null), nodes: members.map(routed) };
  }

  #begin(kind: number, which: number): void {
    const { members } = this.state;
    const victim = members[which % members.length] as Member;
    const other = members[(which + 1) % members.length] as Member;
    const weights = [victim, other].map(({ name, weight }, i) => ({ name, weight: ((weight + which + i) % 4) + 1 }));
    const wanted = [
      { add: [this.#node()] },
      members.length > 2 ? { remove: [victim.name] } : { add: [this.#node()] },
      { weights },
      { weights: weights.slice(0, 1), add: [this.#node(), this.#node()] },
      { replace: [{ name: victim.name, address: `${victim.name}:${which + 2}` }], add: [this.#node()] },
    ][kind];
    try {
      this.#change(nextMembers(this.state, wanted ?? {}), 'preparing');
    } catch {
      // The ring is like that already.
    }
  }

  #change(next: Member[], phase: 'preparing' | 'moving'): void {
    const union = unionOf(this.state.members, next);
    const { generation, options } = this.state;
    this.#next = next;
    const rings = new Rings(overNodes(this.ring, union), overNodes(buildRingSync(next, options), union));
    this.snapshot = { generation, phase, rings, nodes: union.map(routed) };
  }

  /** Some keys arrive. */
  #move(which: number): void {
    const { rings, nodes } = this.snapshot;
    KEYS.forEach((key, i) => {
      if ((i + which) % 3 !== 0) return;
      this.places[i] = nameOf(nodes[rings.nextOwnerOf(rings.hashOf(key, 0, key.length))]);
    });
  }

  #finish(): void {
    for (const part of [0, 1, 2]) this.#move(part);
    this.#end();
  }

  #end(): void {
    const { state } = this;
    this.state = { ...state, generation: state.generation + 1, members: this.#next ?? state.members };
    this.ring = buildRingSync(this.state.members, this.state.options);
    this.snapshot = this.#stable();
  }

  /** Where a key is does not change: what was the source is the target from now on. */
  #turnRound(): void {
    const before = [...this.state.members];
    this.#end();
    this.#change(before, 'moving');
  }
}

function nameOf(node: { readonly name: string; readonly address: string } | undefined): string {
  return `${node?.name} ${node?.address}`;
}

/** A client's walk, page by page. */
class Walker {
  readonly found = new Set<number>();
  cursor = '0';
  begun = false;
  #pages = 0;

  get done(): boolean {
    return this.begun && this.cursor === '0';
  }

  page(world: RingWorld): void {
    const walk = walkOf(world.snapshot);
    const place = placeOf(walk, BigInt(this.cursor));
    if (place === null) throw new Error('there is nothing to walk');
    const { keys, next } = world.page(world.snapshot.nodes.indexOf(place.node), Number(place.cursor));
    for (const key of keys) this.found.add(key);
    this.cursor = cursorBehind(walk, place, BigInt(next));
    this.begun = true;
    if (++this.#pages > 10_000) throw new Error('the walk does not end');
  }
}

const options = fc.record({
  vnodes: fc.constantFrom(4, 16, 160),
  weighting: fc.constantFrom('own' as const, 'total' as const),
});
/** Pages, and in between what happens to the ring. */
const plan = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 40 }), fc.nat({ max: 40 })), {
  minLength: 5,
  maxLength: 80,
});

function missed(
  given: Partial<RingOptions>,
  nodes: number,
  steps: readonly (readonly [number, number, number])[],
): number {
  const world = new RingWorld({ ...DEFAULT_RING_OPTIONS, ...given }, nodes);
  const walker = new Walker();
  for (const [pages, what, which] of steps) {
    for (let i = 0; i < pages && !walker.done; i++) walker.page(world);
    if (walker.done) break;
    world.step(what, which);
  }
  while (!walker.done) walker.page(world);
  return KEYS.length - walker.found.size;
}

describe('a walk', () => {
  it('misses no key, whatever changes of the ring begin, are given up, turned round or finished meanwhile', () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 2, max: 5 }), plan, (given, nodes, steps) => {
        expect(missed(given, nodes, steps)).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  // Symptom: 1,008 of 3,000 keys missed. Cause: the order changed with the change's beginning, its stamp did not.
  it('goes on in its order when a change is prepared', () => {
    const world = new RingWorld({ ...DEFAULT_RING_OPTIONS, vnodes: 160 }, 3);
    const before = walkOf(world.snapshot);
    world.step(0, 0);
    expect(world.snapshot.phase).toBe('preparing');
    expect(walkOf(world.snapshot)).toEqual(before);
    world.step(0, 0);
    expect(world.snapshot.phase).toBe('stable');
    expect(walkOf(world.snapshot)).toEqual(before);
  });

  it('takes one round while one node joins, and two while keys may go in a circle', () => {
    const world = new RingWorld({ ...DEFAULT_RING_OPTIONS, vnodes: 160 }, 3);
    world.step(0, 0);
    world.step(1, 0);
    expect(walkOf(world.snapshot).stamps).toHaveLength(1);
    expect(walkOf(world.snapshot).order.at(-1)?.name).toBe('n3');
    const both = new RingWorld({ ...DEFAULT_RING_OPTIONS, vnodes: 160 }, 3);
    both.step(2, 1);
    both.step(1, 0);
    expect(walkOf(both.snapshot).stamps).toHaveLength(2);
  });

  // Symptom: the proxy ended when a SCAN came while a cancel was given up. Cause: each snapshot has node objects of its
  // own, and a walk that was kept from an earlier one of the same rings named those.
  it('is of the nodes of its snapshot, also where an earlier one had the same rings', () => {
    const world = new RingWorld({ ...DEFAULT_RING_OPTIONS, vnodes: 160 }, 3);
    world.step(0, 0);
    world.step(1, 0);
    const before = walkOf(world.snapshot);
    const again = { ...world.snapshot, nodes: world.snapshot.nodes.map((node) => ({ ...node })) };
    const walk = walkOf(again);
    expect(walk).toEqual(before);
    for (const node of walk.order) expect(again.nodes.indexOf(node)).toBeGreaterThanOrEqual(0);
  });

  it('begins anew with a cursor that belongs to no state of the ring', () => {
    const { snapshot } = new RingWorld(DEFAULT_RING_OPTIONS, 3);
    const walk = walkOf(snapshot);
    for (const cursor of [1n, 1023n, 2n ** 63n, 10n ** 20n - 1n]) {
      expect(placeOf(walk, cursor)).toMatchObject({ node: walk.order[0], cursor: 0n, round: 0 });
    }
  });
});
