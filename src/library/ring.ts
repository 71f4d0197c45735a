/** `import { HashRing } from 'ringproxy/ring'`: where keys are, without a proxy. */
import { RingproxyError as OwnError } from '../errors.js';
import { buildRingSync } from '../ring/build.js';
import type { HashName } from '../ring/hash.js';
import { type HashedPart, hashedPart } from '../ring/hashed-part.js';
import { ringMoves } from '../ring/moves.js';
import { DEFAULT_RING_OPTIONS, type Ring } from '../ring/ring.js';
import { ringMistakes } from './ring-mistakes.js';
import type { RingDifference, RingNode, RingSettings } from './ring-types.js';

export { RingproxyError } from './errors.js';
export type { HashName, RingDifference, RingNode, RingSettings };

type Key = string | Uint8Array;

const encoder = new TextEncoder();

/** A ring as a proxy with the same nodes and settings has it. Immutable. */
export class HashRing {
  readonly nodes: readonly Required<RingNode>[];
  readonly settings: Required<RingSettings>;
  readonly #ring: Ring;
  readonly #part: HashedPart;

  /** @throws RingproxyError with all that is wrong with the nodes and the settings */
  constructor(nodes: readonly RingNode[], settings: RingSettings = {}) {
    this.nodes = nodes.map(({ name, address = '', weight = 1 }) => ({ name, address, weight }));
    this.settings = { ...DEFAULT_RING_OPTIONS, hashTags: [], ...defined(settings) };
    const mistakes = ringMistakes(this.nodes, this.settings);
    if (mistakes.length > 0) throw new OwnError('CONFIG', `the ring has mistakes: ${mistakes.join('; ')}`);
    this.#ring = buildRingSync(this.nodes, this.settings);
    this.#part = hashedPart(this.settings);
  }

  /** @param key text counts as UTF-8 @returns the name of the node that has the key */
  ownerOf(key: Key): string {
    const bytes = bytesOf(key);
    return this.nodes[this.#ring.ownerOf(bytes, 0, bytes.length)]?.name ?? '';
  }

  /** The hash of the key, or of its part that is hashed: an unsigned number of 32 bits. */
  hashOf(key: Key): number {
    const bytes = bytesOf(key);
    return this.#ring.hashOf(bytes, 0, bytes.length) >>> 0;
  }

  /** What of a key is hashed: keys with the same part are on the same node. */
  hashedPartOf(key: string): string;
  hashedPartOf(key: Uint8Array): Uint8Array;
  hashedPartOf(key: Key): Key {
    const bytes = bytesOf(key);
    const part = bytes.subarray(...this.#part(bytes));
    return typeof key === 'string' ? new TextDecoder().decode(part) : part;
  }

  /** The part of the hash space that each node owns, by name; they add up to 1. */
  shares(): Map<string, number> {
    const shares = this.#ring.shares();
    return new Map(this.nodes.map(({ name }, index) => [name, shares[index] ?? 0]));
  }

  /**
   * What changes owner when this ring becomes the other one. A node with another address is another server.
   * @throws RingproxyError when the two hash keys differently, so that shares of the one say nothing of the other
   */
  differenceTo(next: HashRing): RingDifference {
    for (const word of ['hash', 'distribution', 'hashTag', 'hashTags'] as const) {
      if (String(this.settings[word]) === String(next.settings[word])) continue;
      throw new OwnError('CONFIG', `the rings cannot be compared: ${word} differs`);
    }
    const moves = ringMoves(this.#ring, next.#ring);
    return { share: moves.reduce((sum, { share }) => sum + share, 0), moves };
  }
}

function bytesOf(key: Key): Uint8Array {
  return typeof key === 'string' ? encoder.encode(key) : key;
}

/** What is given as undefined is not given. */
function defined(settings: RingSettings): RingSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
