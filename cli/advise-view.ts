/** What to do about commands whose keys are on several nodes, as people read it. */
import type { AdviceRow, AdviceView } from '../src/admin/api.js';
import { formatCount, formatTable, numbers } from './format.js';

/** @returns the lines */
export function describeAdvice({ commands, advice }: AdviceView): string[] {
  if (advice.length === 0) return ['no command has had keys on several nodes since this proxy was started'];
  const table = formatTable([numbers('COMMANDS'), 'COMMAND', 'KEYS', 'WITH A HASH TAG'], advice.flatMap(linesOf));
  const hasPrefix = advice.some(({ scope }) => scope === 'prefix');
  return [
    `${formatCount(commands)} commands have had keys on several nodes since this proxy was started`,
    '',
    ...table.split('\n'),
    '',
    'Keys with the same text in {…} are on one node: rename them where the application makes them.',
    ...(hasPrefix ? ['(one node) has all of these keys then: for a few keys, such as those of a queue.'] : []),
  ];
}

function linesOf({ command, calls, keys, tagged, scope }: AdviceRow): string[][] {
  const note = scope === 'prefix' ? ' (one node)' : '';
  return keys.map((key, i) => {
    const proposed = tagged === null ? '-' : (tagged[i] ?? '');
    return i === 0
      ? [formatCount(calls), command, key, tagged === null ? '- nothing in common' : `${proposed}${note}`]
      : ['', '', key, tagged === null ? '' : proposed];
  });
}
