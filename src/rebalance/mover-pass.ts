import { type Pass, type ProxyStanding, passFor, type Ruling } from '../node/standing.js';
import { type MoverRight, moverName } from './connections.js';

/**
 * The pass of a connection by which the keys of a source are moved: this proxy must belong to the fleet, and its right to
 * move them must be in force. Whoever takes the source over has the nodes drop what bears an older right, so this is
 * looked at behind the name, too.
 * @param right of this proxy, under the id that it had when it got it
 * @param isInForce a read that cannot be stale; null: no answer. Then nothing moves, however consistent the ring is:
 *   whoever waits for keys waits for whoever can move them
 */
export function moverPass(standing: ProxyStanding, right: MoverRight, isInForce: () => Promise<boolean | null>): Pass {
  const pass = passFor(standing, 'move');
  const isHolder = standing.id === right.holder;
  return {
    ...pass,
    name: moverName(right),
    look: async (): Promise<Ruling> => {
      if (!isHolder) return 'fenced-off';
      const [ruling, inForce] = await Promise.all([pass.look(), isInForce()]);
      if (ruling !== 'speak') return ruling;
      if (inForce === null) return 'unsure';
      return inForce ? 'speak' : 'fenced-off';
    },
  };
}
