/** What a change of the groups would do, as people read it. */
import type { GroupsPreview, HiddenKeysView } from '../src/admin/api.js';
import { colors } from './colors.js';
import { formatCount, formatName, formatTable, numbers } from './format.js';

export function describePreview({ source, differences, hidden, needsForce }: GroupsPreview): string {
  const where = source === 'ring' ? 'for all proxies of the ring' : "each proxy's configuration counts again";
  const lines = [`dry run, nothing was changed; ${where}`, ''];
  lines.push(...(differences.length === 0 ? ['nothing would change'] : differences));
  if (hidden.length > 0) {
    const table = formatTable(['KEYS WITH', 'WHERE', numbers('FOUND'), ''], hidden.map(rowOf));
    lines.push('', 'keys that are there, and would not be seen any more:', table);
  }
  if (needsForce) lines.push('', colors.yellow('it is refused without --force'));
  return lines.join('\n');
}

function rowOf({ node, address, prefixes, keys, complete, error }: HiddenKeysView): string[] {
  const names = prefixes.map((prefix) => `${formatName(prefix)}…`).join(' ');
  const where = node === null ? 'the proxies' : `${node} (${address})`;
  const note = error ?? (complete ? '' : 'not all were looked at');
  return [names, where, formatCount(keys), note === '' ? '' : colors.red(note)];
}
