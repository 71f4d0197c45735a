import { RingproxyError } from '../../errors.js';
import type { Term } from './term.js';

/**
 * Takes a member out of whom an operator says that it is dead. While its lease holds, it may speak to nodes without
 * asking anybody: no word of a person changes that.
 * @throws RingproxyError when there is none, it lives, or a node has not dropped its connections
 */
export async function forgetMember({ store, passing }: Term, id: string): Promise<void> {
  const member = (await store.members()).find((other) => other.id === id);
  if (member === undefined) throw new RingproxyError('UNKNOWN_PROXY', `there is no proxy ${id} in this fleet`);
  if (member.alive && !member.fencedOff) {
    throw new RingproxyError('PROXY_ALIVE', `${passing.describe(member)}, cannot be forgotten`);
  }
  const why = await passing.forget(member);
  if (why === null) return;
  throw new RingproxyError(
    'PROXY_GONE',
    `${passing.describe(member)}, is not taken out yet: ${why}`,
    'it is taken out by itself as soon as the node answers; a node that is gone for good: ringproxy ring remove NAME --no-drain',
  );
}
