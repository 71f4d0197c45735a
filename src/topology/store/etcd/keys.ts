/**
 * What stands where in etcd, under the prefix of one ring.
 *
 * | key | holds | lasts |
 * |---|---|---|
 * | `ring` | the ring's record | |
 * | `groups` | the groups of keys | |
 * | `members/ID` | what a member tells of itself, its last answer to a fence, whether it is fenced off | |
 * | `alive/ID` | nothing: that the member's lease holds | as long as that lease |
 * | `coordinator`, `jobs/NAME` | who has the job | as long as a lease of its holder |
 * | `moves/CHANGE/SOURCE` | how far a source is | until the next record of the ring without that change |
 * | `masters/NODE` | which server the master of a followed node is, and which proxies have left the one before | until the node leaves the ring |
 * | `history/REVISION-ID` | a finished change | until a thousand newer ones are there |
 * | `trial/ID` | a record that is only tried | a moment |
 */
import { endOfPrefix, type KeyValue, prefixed, type RangeQuery } from '../../../etcd/index.js';
import type { Revision } from '../../state/fleet.js';
import { COORDINATOR } from '../ring-store.js';

const REVISION_DIGITS = 16;

export type KeyRange = { readonly key: string; readonly end: string };

export class RingKeys {
  /** Everything of the ring. */
  readonly all: KeyRange;
  readonly ring: string;
  readonly groups: string;
  readonly members: KeyRange;
  readonly alive: KeyRange;
  readonly moves: KeyRange;
  readonly history: KeyRange;
  readonly masters: KeyRange;
  readonly #root: string;

  /** @param prefix ends in a slash */
  constructor(prefix: string, ringName: string) {
    this.#root = `${prefix}${ringName}/`;
    this.all = prefixed(this.#root);
    this.ring = `${this.#root}ring`;
    this.groups = `${this.#root}groups`;
    this.members = this.#under('members/');
    this.alive = this.#under('alive/');
    this.moves = this.#under('moves/');
    this.history = this.#under('history/');
    this.masters = this.#under('masters/');
  }

  /** Everything but the history, which is long and which nobody watches: two ranges. */
  get watched(): readonly [RangeQuery & KeyRange, RangeQuery & KeyRange] {
    return [
      { key: this.all.key, end: this.history.key },
      { key: this.history.end, end: this.all.end },
    ];
  }

  member(id: string): string {
    return `${this.members.key}${segment(id)}`;
  }

  aliveness(id: string): string {
    return `${this.alive.key}${segment(id)}`;
  }

  /** @param node see `nodeKey` */
  master(node: string): string {
    return `${this.masters.key}${segment(node)}`;
  }

  job(name: string): string {
    if (name === COORDINATOR) return `${this.#root}coordinator`;
    return `${this.#root}jobs/${name.split('/').map(segment).join('/')}`;
  }

  move(change: string, source: string): string {
    return `${this.movesOf(change).key}${segment(source)}`;
  }

  movesOf(change: string): KeyRange {
    return this.#under(`moves/${segment(change)}/`);
  }

  /** @returns where all is that was noted of other changes than this one. @param change null: of all changes */
  movesOfOthers(change: string | null): KeyRange[] {
    if (change === null) return [this.moves];
    const own = this.movesOf(change);
    return [
      { key: this.moves.key, end: own.key },
      { key: own.end, end: this.moves.end },
    ];
  }

  /** @param revision of the ring, when the change was done */
  entry(revision: Revision, id: string): string {
    return `${this.history.key}${String(revision).padStart(REVISION_DIGITS, '0')}-${segment(id)}`;
  }

  trial(id: string): string {
    return `${this.#root}trial/${segment(id)}`;
  }

  /** What a key of this ring is for. */
  kindOf({ key }: Pick<KeyValue, 'key'>): KeyKind {
    if (key === this.ring) return { kind: 'ring' };
    if (key === this.groups) return { kind: 'groups' };
    if (key === this.job(COORDINATOR) || key.startsWith(`${this.#root}jobs/`)) return { kind: 'claim' };
    if (key.startsWith(this.members.key)) return { kind: 'member', id: idOf(key, this.members) };
    if (key.startsWith(this.alive.key)) return { kind: 'alive', id: idOf(key, this.alive) };
    if (key.startsWith(this.masters.key)) return { kind: 'master', node: idOf(key, this.masters) };
    if (key.startsWith(this.moves.key)) return { kind: 'move', change: idOf(key, this.moves) };
    return { kind: 'other' };
  }

  #under(folder: string): KeyRange {
    const key = `${this.#root}${folder}`;
    return { key, end: endOfPrefix(key) };
  }
}

export type KeyKind =
  | { readonly kind: 'ring' | 'groups' | 'claim' | 'other' }
  | { readonly kind: 'member' | 'alive'; readonly id: string }
  | { readonly kind: 'master'; readonly node: string }
  | { readonly kind: 'move'; readonly change: string };

/** One step of a path: names may hold slashes. */
function segment(name: string): string {
  return encodeURIComponent(name);
}

function idOf(key: string, range: KeyRange): string {
  const [first = ''] = key.slice(range.key.length).split('/');
  try {
    return decodeURIComponent(first);
  } catch {
    return first;
  }
}
