/**
 * Which proxy sees which node down, since when and why. Each proxy has its own opinion, which nobody decides between:
 * a node that is down for some of them only, is cut off from those.
 */
import { type LwwMap, liveEntries, lwwMap, removeEntry, setEntry } from '../../crdt/lww-map.js';
import type { SoftDocument } from '../document.js';
import type { SoftState } from '../soft-state.js';

/** A node, as the ring has it. */
export interface NamedNode {
  readonly name: string;
  readonly address: string;
}

export interface NodeDown extends NamedNode {
  /** ISO date. */
  readonly since: string;
  readonly why: string;
}

export interface Opinion {
  readonly proxy: string;
  readonly since: string;
  readonly why: string;
}

type Told = readonly [since: string, why: string];

const MOST_NODES = 1024;
const LONGEST_WHY = 300;
const LONGEST_DATE = 40;

export class NodeOpinions {
  readonly #state: SoftState;
  readonly #document: SoftDocument<LwwMap<Told>>;

  constructor(state: SoftState) {
    this.#state = state;
    // As many nodes again may have been down lately.
    const mostEntries = 2 * MOST_NODES;
    this.#document = state.add({ name: 'nodes down', lattice: lwwMap({ decode }), parts: 1, mostEntries });
  }

  /** Tells which nodes are down for this proxy; the others are not. What is as before costs nothing. */
  tell(down: readonly NodeDown[]): void {
    const { clock, own } = this.#state;
    const told = this.#document.read(own, 0);
    const keys = new Set<string>();
    for (const node of down.slice(0, MOST_NODES)) {
      const key = keyOf(node);
      const { since } = node;
      const why = node.why.slice(0, LONGEST_WHY);
      keys.add(key);
      const before = told.get(key)?.value;
      if (before?.[0] === since && before[1] === why) continue;
      this.#document.write(0, setEntry<Told>(key, [since, why], clock.next()));
    }
    for (const [key] of liveEntries(told)) {
      if (!keys.has(key)) this.#document.write(0, removeEntry<Told>(key, clock.next()));
    }
  }

  /** Who has told that the node is down, this proxy included. */
  of(node: NamedNode): Opinion[] {
    const key = keyOf(node);
    const opinions: Opinion[] = [];
    for (const proxy of this.#document.owners) {
      const told = this.#document.read(proxy, 0).get(key)?.value;
      if (told !== undefined) opinions.push({ proxy, since: told[0], why: told[1] });
    }
    return opinions;
  }
}

/** No name has a line's end. */
function keyOf({ name, address }: NamedNode): string {
  return `${name}\n${address}`;
}

function decode(value: unknown): Told | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [since, why]: readonly unknown[] = value;
  if (typeof since !== 'string' || since.length > LONGEST_DATE) return null;
  return typeof why === 'string' && why.length <= LONGEST_WHY ? [since, why] : null;
}
