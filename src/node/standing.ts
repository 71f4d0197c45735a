/**
 * By what right this process speaks to nodes. A proxy that was stopped for a while may have been passed over meanwhile:
 * its store marks it, then every node drops the connections that bear its id. So each connection bears it before it
 * carries anything, and looks behind that whether it still counts: either the node has dropped it, or the look says no.
 */

/**
 * What a look comes to. `unsure`: it cannot be told now, since the store does not answer; `fenced-off`: the id that the
 * connection bears counts no more, and never will again.
 */
export type Ruling = 'speak' | 'unsure' | 'fenced-off';

export interface Standing {
  /** What connections bear of this process in their names: another id once it was fenced off and has registered anew. */
  readonly id: string;
  /** Nobody else could pass this proxy over, so nodes that take no names can be served. */
  readonly isLone: boolean;
  /**
   * Whether it is certain, without asking anybody, that a connection which bears `id` may speak now. Called when the node
   * has accepted the name, and not before. May end the process.
   */
  holds(id: string): boolean;
  /** Asks, from now on: what was asked before the node had accepted the name tells nothing. Settles within a bound. */
  ask(id: string): Promise<Ruling>;
}

/** Of the process that moves keys, whose connections are not those of clients. */
export interface ProxyStanding extends Standing {
  /** Of the id of now: aborted as soon as that counts no more. */
  readonly revoked: AbortSignal;
}

/** By what right a single connection is opened. */
export interface Pass {
  /** At the node. */
  readonly name: string;
  /** It is of no use without its name. */
  readonly needsName: boolean;
  /** Called when the node has accepted the name, before the connection carries anything; settles within a bound. */
  look(): Promise<Ruling>;
  /** Ends the connection when it is aborted; null: nothing does. */
  readonly revoked: AbortSignal | null;
}

/** The pass of a connection by which nothing of the data is changed. */
export function readsOnly(name: string): Pass {
  return { name, needsName: false, look: () => Promise.resolve('speak'), revoked: null };
}

/**
 * The pass of a connection by which data is changed, by the right that this proxy has now.
 * @param purpose what connections are told apart by, such as `move`
 * @param rest stands behind the id, such as `.3`
 */
export function passFor(standing: ProxyStanding, purpose: string, rest = ''): Pass {
  const { id, isLone, revoked } = standing;
  return {
    name: `ringproxy-${purpose}:${id}${rest}`,
    needsName: !isLone,
    look: () => (standing.holds(id) ? Promise.resolve('speak') : standing.ask(id)),
    revoked,
  };
}

/** @returns the id of the proxy that has named a connection by which it changes data so, or an empty string */
export function proxyOfConnection(name: string): string {
  return /^ringproxy(?:-(?:move|functions|flush))?:([0-9a-f]+)(?:\.[0-9.]+)?$/.exec(name)?.[1] ?? '';
}
