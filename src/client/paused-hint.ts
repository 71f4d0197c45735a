/** What helps a change that has paused because of a failure. */
import type { ChangeView, NodeView } from '../admin/api.js';
import { ERRORS } from '../errors.js';

type Sight = Pick<NodeView, 'name' | 'state' | 'share' | 'nextShare'>;

/** @param nodes of the ring: of those that are gone nobody need wait */
export function hintForPaused({ sources }: Pick<ChangeView, 'sources'>, nodes: readonly Sight[]): string {
  const down = nodes.filter(({ state }) => state === 'down');
  const left = down.filter(({ name }) => sources.some(({ node, done }) => node === name && !done));
  if (left.length > 0) {
    return told(left, 'ringproxy ring resume --no-drain, which gives up the keys that were not handed over');
  }
  const targets = down.filter(({ share, nextShare }) => nextShare !== null && nextShare > share);
  if (targets.length === 0) return ERRORS.CHANGE_PAUSED.hint;
  return told(targets, 'ringproxy ring cancel, and then ringproxy ring resume --no-drain');
}

function told(nodes: readonly Sight[], helps: string): string {
  const names = nodes.map(({ name }) => name).join(', ');
  const gone = `${names} ${nodes.length === 1 ? 'is' : 'are'} gone for good`;
  return `mend it, then: ringproxy ring resume; if ${gone}: ${helps}`;
}
