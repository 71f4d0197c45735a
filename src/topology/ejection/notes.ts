/** Why nodes that are down are not ejected, and ejected ones that answer are not back: what this proxy knows, mostly as the judge. */
import { type NodeIdentity, nodeKey } from '../../node/identity.js';

export class EjectionNotes {
  #staying = new Map<string, string>();
  readonly #away = new Map<string, string>();
  #isOff = false;

  /** @returns why a node that is down is left in the ring, for people; null: nobody says anything against it here */
  ofDown(node: NodeIdentity): string | null {
    return this.#staying.get(nodeKey(node)) ?? null;
  }

  /** @returns why a node that is ejected and answers is not back, for people; null: nothing is known that keeps it away */
  ofEjected(node: NodeIdentity): string | null {
    if (!this.#isOff) return this.#away.get(nodeKey(node)) ?? null;
    return `it does not come back by itself, since on-node-failure is error: ringproxy ring add ${node.name}=${node.address} --flush`;
  }

  /** Whether this proxy ejects no nodes, nor lets them come back. */
  turnOff(isOff: boolean): void {
    this.#isOff = isOff;
  }

  /** These are down, and are not ejected; all others may be. */
  stay(nodes: readonly NodeIdentity[], why: string): void {
    this.#staying = new Map(nodes.map((node) => [nodeKey(node), why]));
  }

  /** It has tried to come back, and cannot; null: it can. */
  away(node: NodeIdentity, why: string | null): void {
    if (why === null) this.#away.delete(nodeKey(node));
    else this.#away.set(nodeKey(node), why);
  }

  /** Another proxy judges from now on. */
  clear(): void {
    this.#staying.clear();
    this.#away.clear();
  }
}
