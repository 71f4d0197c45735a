/** The keys that are used most, as people read them. */
import type { HotKeyView, HotView } from '../src/admin/api.js';
import { colors } from './colors.js';
import { clip, formatCount, formatPercent, formatTable, numbers, wrap } from './format.js';

/** A key takes at least so many columns of the terminal, where it has them; the rest of the table takes OTHER_COLUMNS. */
const LEAST_KEY = 12;
const OTHER_COLUMNS = 70;
/** Of a terminal that does not say how wide it is. */
const LONGEST_KEY = 80;
/** With fewer uses the order is by chance. */
const FEW = 1000;

/** @returns the lines. @param width columns of the terminal @param trouble why the view is not newer */
export function describeHot(view: HotView, { width, trouble }: { width?: number; trouble?: string }): string[] {
  const shown = view.keys.reduce((sum, { share }) => sum + share, 0);
  const few = view.sampled < FEW ? `, of which few were looked at yet (${formatCount(view.sampled)})` : '';
  const facts = [
    `${formatCount(Math.round(view.perSecond))} uses of keys a second${few}; ${view.keys.length === 1 ? 'this key has' : `these ${view.keys.length} keys have`} ${formatPercent(shown)} of them`,
    ...view.missing.map(({ proxy, why }) => colors.red(`without proxy ${proxy}: ${why}`)),
    ...(trouble === undefined ? [] : [colors.red(trouble)]),
  ];
  const lines = facts.flatMap((fact) => (width === undefined ? [fact] : wrap(fact, width)));
  if (view.keys.length === 0) return [...lines, '', 'no key is used'];
  const grouped = view.keys.some(({ group }) => group !== null);
  const longest = width === undefined ? LONGEST_KEY : Math.max(LEAST_KEY, width - OTHER_COLUMNS);
  const table = formatTable(
    [
      ...['KEY', 'DB', 'NODE', ...(grouped ? ['GROUP'] : [])],
      ...['COMMANDS/S', 'SHARE', 'READS'].map(numbers),
      'IN PROXIES',
    ],
    view.keys.map((key) => [
      ...[clip(key.key, longest), String(key.database), key.node ?? '-', ...(grouped ? [key.group ?? '-'] : [])],
      ...figures(key),
    ]),
  );
  return [...lines, '', ...table.split('\n')];
}

function figures({ commandsPerSecond, share, reads, ...kept }: HotKeyView): string[] {
  return [formatCount(Math.round(commandsPerSecond)), formatPercent(share), formatPercent(reads), keptAs(kept)];
}

/** Why proxies have it themselves. One of an earlier version does not say how its group is cached. */
function keptAs({ near, cache = null }: Partial<HotKeyView>): string {
  if (near === true) return colors.green('near-auto');
  return cache === null || cache === 'sharded' ? '-' : cache;
}
