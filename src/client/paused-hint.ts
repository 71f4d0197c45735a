/** What helps a change that has paused because of a failure. */
import type { ChangeView, NodeView } from '../admin/api.js';
import { ERRORS } from '../errors.js';

/** @param nodes of the ring: of those that are gone nobody need wait */
export function hintForPaused(change: ChangeView, nodes: readonly Pick<NodeView, 'name' | 'state'>[]): string {
  const dead = nodes.filter(({ name, state }) => state === 'down' && change.error?.includes(` ${name} (`) === true);
  const names = dead.map(({ name }) => name);
  if (names.length === 0) return ERRORS.CHANGE_PAUSED.hint;
  const gone = `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} gone for good`;
  const losesKeys = change.sources.some(({ node, done }) => !done && names.includes(node));
  const helps = losesKeys
    ? 'ringproxy ring resume --no-drain, which gives up the keys that were not handed over'
    : 'ringproxy ring cancel, and then ringproxy ring resume --no-drain';
  return `mend it, then: ringproxy ring resume; if ${gone}: ${helps}`;
}
