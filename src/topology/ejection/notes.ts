/** Why nodes that are down are not ejected, and ejected ones that answer are not back: what this proxy, as the judge, knows. */
import { type NodeIdentity, nodeKey } from '../../node/identity.js';

export class EjectionNotes {
  #staying = new Map<string, string>();
  readonly #away = new Map<string, string>();

  /** @returns why a node is left as it is, for people; null: nobody says anything against it here */
  of(node: NodeIdentity): string | null {
    return this.#staying.get(nodeKey(node)) ?? this.#away.get(nodeKey(node)) ?? null;
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
