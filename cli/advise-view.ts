/** What to do about commands whose keys are on several nodes, as people read it. */
import type { AdviceRow, AdviceView } from '../src/admin/api.js';
import { colors } from './colors.js';
import { formatCount, formatTable, numbers } from './format.js';

/** @returns the lines */
export function describeAdvice(view: AdviceView): string[] {
  const { commands, advice } = view;
  // A proxy of an earlier version tells of itself alone.
  const { refused = 0, hashTags = [], missing = [] }: Partial<AdviceView> = view;
  const silent = missing.map(({ proxy, why }) => colors.red(`without proxy ${proxy}: ${why}`));
  if (advice.length === 0)
    return [...silent, 'no command has had keys on several nodes since the proxies were started'];
  const table = formatTable([numbers('COMMANDS'), 'COMMAND', 'KEYS', 'WITH A HASH TAG'], advice.flatMap(linesOf));
  const hasPrefix = advice.some(({ scope }) => scope === 'prefix');
  const ofThese = refused === 0 ? '' : `; ${formatCount(refused)} of them were refused`;
  return [
    ...silent,
    `${formatCount(commands)} commands have had keys on several nodes since the proxies were started${ofThese}`,
    '',
    ...table.split('\n'),
    '',
    'Keys with the same text in {…} are on one node: rename them where the application makes them.',
    ...(hasPrefix ? ['(one node) has all of these keys then: for a few keys, such as those of a queue.'] : []),
    ...(hashTags.length === 0 ? [] : describePatterns(hashTags)),
  ];
}

function describePatterns(patterns: readonly string[]): string[] {
  return [
    '',
    'Or leave the names as they are, and start a ring on empty nodes with',
    '  ring:',
    `    hash-tags: ${JSON.stringify(patterns)}`,
  ];
}

function linesOf({ command, calls, refused = 0, keys, tagged, scope }: AdviceRow): string[][] {
  const note = scope === 'prefix' ? ' (one node)' : '';
  const name = refused === 0 ? command : `${command} (refused)`;
  return keys.map((key, i) => {
    const proposed = tagged === null ? '-' : (tagged[i] ?? '');
    return i === 0
      ? [formatCount(calls), name, key, tagged === null ? '- nothing in common' : `${proposed}${note}`]
      : ['', '', key, tagged === null ? '' : proposed];
  });
}
