/** One group of keys as people read it, with all that is known of it. */
import type { GroupsView, GroupView } from '../src/admin/api.js';
import { CliError } from './cli-error.js';
import { formatCount, formatCounted, formatName, formatPercent } from './format.js';
import { colored, headOf, keptOf, policyOf, prefixesOf } from './groups-view.js';

/** What became of misses in groups with `fill-wait`, in the words of the docs. */
export const FILL_WORDS: Readonly<Record<string, string>> = {
  first: 'its client saw the miss, and was to fill the key; others would wait for it',
  filled: 'waited, and got the value',
  stale: 'got the last value while the key was filled anew',
  next: 'waited in vain, and then was to fill the key itself',
  early: 'was no miss: its client was to fill the key shortly before it expires',
  timeout: 'waited as long as a miss may, and saw the miss',
  full: 'so many waited that it did not, and saw the miss',
  released: 'its client sent something behind it that could not wait, and it saw the miss',
  left: 'its client has left',
};

/** Who has answered reads in groups with `read-from: replica`. */
export const REPLICA_WORDS: Readonly<Record<string, string>> = {
  replica: 'were sent to a replica',
  again: 'of these: the replica was asked in vain, and the master answered',
  none: 'the master: no replica is known',
  unproven: "the master: no replica is known to have the master's data",
  late: 'the master: what is known of replicas was late by more than max-lag',
  newer: 'the master: the key was written here since, or the ring has changed',
  moving: 'the master: the key was changing hands',
  client: 'the master: the client tracks or watches keys, or reads large values',
};

/** @throws CliError when there is no such group */
export function describeGroup(view: GroupsView, name: string): string {
  const group = view.groups.find((one) => one.group === name);
  if (group === undefined) throw noSuchGroup(view, name);
  const lines: [string, string][] = [
    ['keys begin with', prefixesOf(group.prefixes)],
    ['policy', policyOf(group.policy)],
    ['commands', commandsOf(group)],
    ['reads', readsOf(group)],
    ...keptLines(group),
    ...outcomeLines('fill-wait', group.fill, FILL_WORDS, fillShareOf(group)),
    ...outcomeLines('read-from', group.replicaReads, REPLICA_WORDS, keptOf(group)),
  ];
  const widest = Math.max(...lines.map(([title]) => title.length));
  const named = `${formatName(group.group)}: ${colored(group.policy.cache ?? 'sharded')}`;
  return [named, ...lines.map(([title, text]) => `  ${title.padEnd(widest)}  ${text}`)].join('\n');
}

/** @throws CliError when there is one of them that is no group */
export function describeSome(view: GroupsView, names: readonly string[]): string {
  return [headOf(view), ...names.map((name) => describeGroup(view, name))].join('\n\n');
}

/** For programs: these groups and no other. @throws CliError when there is one of them that is no group */
export function onlyNamed(view: GroupsView, names: readonly string[]): GroupsView {
  const missing = names.find((name) => !view.groups.some(({ group }) => group === name));
  if (missing !== undefined) throw noSuchGroup(view, missing);
  return { ...view, groups: view.groups.filter(({ group }) => names.includes(group)), other: null };
}

function noSuchGroup({ groups }: GroupsView, name: string): CliError {
  const there = groups.map(({ group }) => formatName(group)).join(', ');
  return new CliError(`there is no group '${name}'`, there === '' ? 'there are none' : `there are ${there}`);
}

function commandsOf({ commands, commandsPerSecond: rate, errors }: GroupView): string {
  const now = rate === null ? [] : [`${formatCount(Math.round(rate))} a second`];
  return [formatCount(commands), ...now, formatCounted(errors, 'error')].join(', ');
}

function readsOf({ hits, misses, hitRatio }: GroupView): string {
  const ratio = hitRatio === null ? '' : `: ${formatPercent(hitRatio)} found their key`;
  return `${formatCounted(hits, 'hit')}, ${formatCounted(misses, 'miss', 'misses')}${ratio}`;
}

function keptLines(group: GroupView): [string, string][] {
  const { near, replicated } = group;
  if (replicated !== null) return [['in each process', keptOf(group)]];
  if (near === null) return [];
  const { hits, misses } = near;
  const asked = formatCounted(hits + misses, 'read');
  return [['kept near', `${keptOf(group)} of ${asked}`]];
}

function fillShareOf({ fillShare = null }: Partial<GroupView>): string {
  return fillShare === null ? 'no misses' : `spared ${formatPercent(fillShare)} of misses making the value`;
}

/** What has happened, the known outcomes first; what has not is left out. */
function outcomeLines(
  title: string,
  outcomes: Readonly<Record<string, number>> | null,
  words: Readonly<Record<string, string>>,
  summary: string,
): [string, string][] {
  if (outcomes === null) return [];
  const known = Object.keys(words);
  const others = Object.keys(outcomes).filter((outcome) => !known.includes(outcome));
  const seen = [...known, ...others].filter((outcome) => (outcomes[outcome] ?? 0) > 0);
  const width = Math.max(0, ...seen.map((outcome) => formatCount(outcomes[outcome] ?? 0).length));
  return [
    [title, summary],
    ...seen.map((outcome): [string, string] => {
      const count = formatCount(outcomes[outcome] ?? 0).padStart(width);
      return [`  ${outcome}`, `${count}  ${words[outcome] ?? ''}`.trimEnd()];
    }),
  ];
}
