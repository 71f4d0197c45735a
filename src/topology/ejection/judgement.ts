/**
 * Which nodes are to leave the ring since they do not answer, and which come back: by what the proxies say of them, and
 * for how long they have said so. Pure but for what it remembers; times are given.
 */
import { counted } from '../../counted.js';
import { nodeKey } from '../../node/identity.js';
import { type EjectedNode, ejectedNow, returning, takenBack, timeToReturn } from '../state/ejection.js';
import type { Member, RingState } from '../state/ring-state.js';

export interface EjectionSettings {
  /** For so long a node must be down. Milliseconds, like all times here. */
  readonly ejectAfter: number;
  /** So many may be ejected at once. */
  readonly ejectMaxNodes: number;
  /** So many serving nodes must be left. */
  readonly minNodes: number;
  /** For so long a node must answer that comes back the first time; each further time for twice as long. */
  readonly rejoinAfter: number;
  /** But for no longer than that. */
  readonly rejoinAfterMax: number;
}

/** What a live proxy says of the nodes. */
export interface ProxyOpinion {
  readonly proxy: string;
  /** Of the nodes that are down for it, by their keys (`nodeKey`); null: nothing was heard of it lately. */
  readonly down: ReadonlyMap<string, SaidOfNode> | null;
}

/** What a proxy says of a node that is down for it. */
export interface SaidOfNode {
  /** ISO date, by its clock. */
  readonly since: string;
  /** For people; empty: it does not say. */
  readonly why: string;
}

export interface Sight {
  /** The ring, while it does not change. */
  readonly state: RingState;
  /** One of each live proxy, this one included. */
  readonly opinions: readonly ProxyOpinion[];
  /** Whether this proxy has been answered. */
  answers(node: Member): boolean;
}

export type Verdict =
  | { readonly kind: 'eject'; readonly nodes: readonly { readonly node: Member; readonly why: string }[] }
  | { readonly kind: 'return'; readonly node: EjectedNode }
  /** A node that was coming back has failed again. */
  | { readonly kind: 'abandon'; readonly node: Member; readonly why: string }
  /** Nodes have failed that were to hand keys over to one that comes back, or one whose return is being taken back. */
  | { readonly kind: 'give up'; readonly nodes: readonly Member[] }
  /** Nodes are down, and are not ejected. */
  | { readonly kind: 'refuse'; readonly nodes: readonly Member[]; readonly why: string };

/** What is recorded of an ejection names no more proxies than these. */
const MOST_NAMED = 8;

export class Judgement {
  /** Since when a majority says that a member is down. */
  readonly #downSince = new Map<string, number>();
  /** The same, whatever the proxies have a say. */
  readonly #seenDownSince = new Map<string, number>();
  /** Since when an ejected node has answered without a break. */
  readonly #upSince = new Map<string, number>();

  /** @returns what is to be done now, or null */
  judge(sight: Sight, settings: EjectionSettings, now: number): Verdict | null {
    const { members } = sight.state;
    const ejected = ejectedNow(sight.state);
    const coming = returning(sight.state);
    const down = members.filter((node) => isDownForMost(node, sight));
    const comingDown = coming !== null && isDownForMost(coming, sight) ? [coming] : [];
    note(this.#downSince, [...down, ...comingDown], now);
    note(
      this.#upSince,
      ejected.filter((node) => sight.answers(node) && !isDownForMost(node, sight)),
      now,
    );
    const seenDown = members.filter((node) => isDownForMost(node, sight, 'all have a say'));
    note(this.#seenDownSince, seenDown, now);
    if (coming !== null) return this.#whileComing(coming, down, sight, settings, now);
    const back = takenBack(sight.state);
    if (back !== null && sight.state.change?.phase === 'moving' && this.#isDue(back, settings, now)) {
      return { kind: 'give up', nodes: [back] };
    }
    return (
      this.#toEject(down, ejected, sight, settings, now) ??
      this.#toReturn(ejected, settings, now) ??
      this.#noSay(seenDown, down, settings, now)
    );
  }

  /** A node that could not come back is given its time anew. */
  beginAnew(node: EjectedNode): void {
    this.#upSince.delete(nodeKey(node));
  }

  /** What the fleet has begun by itself it does not leave to people, when it cannot come to its end. */
  #whileComing(
    coming: Member,
    down: readonly Member[],
    sight: Sight,
    settings: EjectionSettings,
    now: number,
  ): Verdict | null {
    if (sight.state.change?.phase !== 'moving') return null;
    if (this.#isDue(coming, settings, now)) {
      return { kind: 'abandon', node: coming, why: this.#reason(coming, sight, now) };
    }
    // As long as it is not at its end, nothing else can be ejected: those that would be are given up in it.
    const verdict = this.#toEject(down, [], sight, settings, now);
    if (verdict?.kind !== 'eject') return verdict;
    const { undrained } = sight.state.change;
    const nodes = verdict.nodes.flatMap(({ node }) => (undrained.includes(node.name) ? [] : [node]));
    return nodes.length === 0 ? null : { kind: 'give up', nodes };
  }

  #toEject(
    down: readonly Member[],
    ejected: readonly EjectedNode[],
    sight: Sight,
    settings: EjectionSettings,
    now: number,
  ): Verdict | null {
    const { ejectMaxNodes, minNodes } = settings;
    const isDue = (node: Member): boolean => this.#isDue(node, settings, now);
    if (!down.some(isDue)) return null;
    const names = down.map(({ name }) => name).join(', ');
    const left = sight.state.members.length - down.length;
    const least = Math.max(1, minNodes);
    if (left < least) {
      const why = `${names} are down, and are not ejected: the ring would have ${counted(left, 'serving node')}, and min-nodes is ${least}`;
      return {
        kind: 'refuse',
        nodes: down,
        why: down.length === 1 ? why.replace(' are down, and are ', ' is down, and is ') : why,
      };
    }
    // Several at once, or one after the other: more often than not the proxies are cut off, or the nodes come back.
    if (ejected.length + down.length > ejectMaxNodes) {
      const already = ejected.length === 0 ? '' : `, ${ejected.map(({ name }) => name).join(', ')} ejected already`;
      const why = `down: ${names}${already}; that is more than eject-max-nodes (${ejectMaxNodes}), so none of them is ejected`;
      return { kind: 'refuse', nodes: down, why };
    }
    // One that has just failed would get the others' keys: they leave together.
    if (!down.every(isDue)) return null;
    return { kind: 'eject', nodes: down.map((node) => ({ node, why: this.#reason(node, sight, now) })) };
  }

  /** It has been down for a majority for long enough. */
  #isDue(node: Member, { ejectAfter }: EjectionSettings, now: number): boolean {
    const since = this.#downSince.get(nodeKey(node));
    return since !== undefined && now - since >= ejectAfter;
  }

  /** What people would have to guess otherwise. */
  #noSay(
    seenDown: readonly Member[],
    down: readonly Member[],
    { ejectAfter }: EjectionSettings,
    now: number,
  ): Verdict | null {
    if (down.length > 0) return null;
    const nodes = seenDown.filter((node) => now - (this.#seenDownSince.get(nodeKey(node)) ?? now) >= ejectAfter);
    if (nodes.length === 0) return null;
    const names = nodes.map(({ name }) => name).join(', ');
    const why = `down: ${names}; a proxy for which more than half of the nodes are down is taken to be cut off itself, so none of them is ejected`;
    return { kind: 'refuse', nodes, why };
  }

  #toReturn(
    ejected: readonly EjectedNode[],
    { rejoinAfter, rejoinAfterMax }: EjectionSettings,
    now: number,
  ): Verdict | null {
    const node = ejected.find((candidate) => {
      const since = this.#upSince.get(nodeKey(candidate));
      return since !== undefined && now - since >= timeToReturn(candidate, rejoinAfter, rejoinAfterMax);
    });
    return node === undefined ? null : { kind: 'return', node };
  }

  #reason(node: Member, { opinions, state }: Sight, now: number): string {
    const seconds = Math.round((now - (this.#downSince.get(nodeKey(node)) ?? now)) / 1000);
    const votes = opinions.filter((opinion) => saysDown(opinion, node, state)).length;
    const where = opinions.length === 1 ? '' : ` for ${votes} of ${opinions.length} proxies`;
    const said = describeOpinions(node, opinions);
    return `down for ${seconds} s${where}${said === '' ? '' : ` (${said})`}`;
  }
}

/** What each proxy says of a node: of several, those that see it down first, since these are what its fate hangs on. */
function describeOpinions(node: Member, opinions: readonly ProxyOpinion[]): string {
  const saidBy = ({ down }: ProxyOpinion): SaidOfNode | undefined => down?.get(nodeKey(node));
  const [only] = opinions;
  if (only !== undefined && opinions.length === 1) return saidBy(only)?.why ?? '';
  const parts = [
    ...opinions.flatMap((opinion) => {
      const said = saidBy(opinion);
      if (said === undefined) return [];
      return `${opinion.proxy} since ${said.since}${said.why === '' ? '' : `: ${said.why}`}`;
    }),
    ...opinions.filter(({ down }) => down === null).map(({ proxy }) => `${proxy} has not said anything lately`),
    ...opinions
      .filter((opinion) => opinion.down !== null && saidBy(opinion) === undefined)
      .map(({ proxy }) => `${proxy} is answered`),
  ];
  const more = parts.length - MOST_NAMED;
  return [...parts.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** A majority of the live proxies, of which those that say nothing are none. */
function isDownForMost(node: Member, { opinions, state }: Sight, who?: 'all have a say'): boolean {
  const says = (opinion: ProxyOpinion): boolean =>
    who === undefined ? saysDown(opinion, node, state) : opinion.down?.has(nodeKey(node)) === true;
  return opinions.filter(says).length * 2 > opinions.length;
}

/**
 * A proxy for which more than half of the nodes are down is cut off itself, most likely: what it says of them says
 * nothing.
 */
function saysDown({ down }: ProxyOpinion, node: Member, { members }: RingState): boolean {
  if (down === null || !down.has(nodeKey(node))) return false;
  return members.filter((member) => down.has(nodeKey(member))).length * 2 <= members.length;
}

function note(since: Map<string, number>, nodes: readonly Member[], now: number): void {
  const keys = new Set(nodes.map(nodeKey));
  for (const key of since.keys()) if (!keys.has(key)) since.delete(key);
  for (const key of keys) if (!since.has(key)) since.set(key, now);
}
