/** Looks for keys that a change of the groups would hide: on all nodes at once, and in this proxy's own memory. */
import type { HiddenKeysView } from '../../admin/api.js';
import { messageOf } from '../../errors.js';
import { type CountBounds, countKeys } from '../../rebalance/count-keys.js';
import type { NodeLink } from '../../rebalance/node-link.js';
import type { Member } from '../state/ring-state.js';
import type { HiddenKeys } from './hidden-keys.js';

export interface HiddenLooksPorts {
  /** All that may have keys: while the ring changes, members of either ring. */
  nodes(): readonly Member[];
  /** @throws NodeFailure */
  open(node: Member): Promise<NodeLink>;
  /** How many keys this proxy has of those that every proxy has. @param has of a key with a character for each byte */
  countHere(has: (key: string) => boolean): Promise<number>;
}

/** Of each node; all are looked at at the same time. */
const BOUNDS: CountBounds = { patience: 5_000, most: 100_000 };

/** @returns what each place has of them, the nodes in their order; a node that cannot be asked is among them */
export async function lookForHidden(hidden: readonly HiddenKeys[], ports: HiddenLooksPorts): Promise<HiddenKeysView[]> {
  const looks = hidden.map((keys) =>
    keys.from === 'nodes' ? Promise.all(ports.nodes().map((node) => lookAt(node, keys, ports))) : lookHere(keys, ports),
  );
  return (await Promise.all(looks)).flat();
}

async function lookAt(member: Member, wanted: HiddenKeys, { open }: HiddenLooksPorts): Promise<HiddenKeysView> {
  const place = { node: member.name, address: member.address, prefixes: [...wanted.prefixes] };
  try {
    const link = await open(member);
    try {
      return { ...place, ...(await countKeys(link, wanted, BOUNDS)), error: null };
    } finally {
      link.close();
    }
  } catch (error) {
    return { ...place, keys: 0, complete: false, error: messageOf(error) };
  }
}

async function lookHere({ prefixes, has }: HiddenKeys, { countHere }: HiddenLooksPorts): Promise<HiddenKeysView[]> {
  const keys = await countHere(has);
  return [{ node: null, address: null, prefixes: [...prefixes], keys, complete: true, error: null }];
}
