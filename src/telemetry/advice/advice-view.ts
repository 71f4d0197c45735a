/** Which keys commands had on several nodes, and what would bring them together, as operators see it. */
import type { AdviceRow, AdviceView } from '../../admin/api.js';
import type { ApartKeys } from '../../proxy/measure/apart/apart-keys.js';
import { escapeKey } from '../hot-keys/hot-view.js';
import { inOrder, patternsOf } from './proposed-patterns.js';

/** What the ring says of hash tags. */
export interface RingTags {
  readonly hashTag: string;
  readonly hashTags: readonly string[];
}

/**
 * @param rows the commonest first
 * @param limit rows at most
 * @param missing whose rows are not among them, and why
 */
export function adviceView(
  rows: readonly ApartKeys[],
  limit: number,
  { hashTag, hashTags }: RingTags,
  missing: AdviceView['missing'],
): AdviceView {
  const advice = rows.slice(0, limit).map(rowOf);
  // A pattern is for all keys that match it: one that puts all of them on one node is for what does not run otherwise.
  const isMeant = ({ scope, refused }: AdviceRow): boolean => scope === 'value' || refused > 0;
  const proposed = advice.flatMap((row) => (isMeant(row) ? (row.patterns ?? []) : []));
  const patterns = inOrder(hashTags, proposed, hashTag);
  return {
    commands: sumOf(rows, ({ calls }) => calls),
    refused: sumOf(rows, ({ refused }) => refused),
    advice,
    hashTags: patterns.length > hashTags.length ? patterns : [],
    missing: [...missing],
  };
}

function rowOf(row: ApartKeys): AdviceRow {
  const { command, isSplit, calls, refused, shapes, tagged, kind, example } = row;
  // Its parts run side by side: all of its keys on one node would be worse.
  const isWorth = tagged !== null && !(isSplit && kind === 'prefix');
  return {
    command: command.toUpperCase().replace('|', ' '),
    calls,
    refused,
    keys: [...shapes],
    tagged: isWorth ? [...tagged] : null,
    patterns: isWorth ? patternsOf(row) : null,
    scope: isWorth ? kind : null,
    example: example.map((key) => escapeKey(Buffer.from(key, 'latin1'))),
  };
}

function sumOf(rows: readonly ApartKeys[], figure: (row: ApartKeys) => number): number {
  return rows.reduce((sum, row) => sum + figure(row), 0);
}
