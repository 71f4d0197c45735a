/** Numbers and tables for people. */
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import type { NodeState } from '../src/admin/api.js';
import { colors } from './colors.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

export function formatCount(count: number | null): string {
  return count === null ? '-' : count.toLocaleString('en-US');
}

/** `1 key`, `1,234 keys`. @param many where it is not `one` with an s */
export function formatCounted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

export function formatPercent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

/** A name as it is; one with control characters, which could steer the terminal, quoted and escaped. */
export function formatName(name: string): string {
  const quoted = /\p{Cc}/u.test(name) ? JSON.stringify(name) : name;
  return quoted.replace(/[\u007f-\u009f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** @param seconds null: there was nothing to measure */
export function formatSeconds(seconds: number | null): string {
  if (seconds === null) return '-';
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 0)} ms`;
  return `${seconds.toFixed(1)} s`;
}

/** A long time, with its two largest units. */
export function formatDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const hours = Math.floor(whole / 3600);
  if (hours < 24) return `${hours} h ${Math.floor(whole / 60) % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Red: clients notice. */
export function formatState(state: NodeState): string {
  if (state === 'active') return colors.green(state);
  return state === 'joining' || state === 'leaving' ? colors.yellow(state) : colors.red(state);
}

/** How many columns of a terminal a text takes, colours left aside. */
export function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** Cut in the middle: names of many nodes often differ at their end. */
export function clip(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const end = Math.floor((longest - 1) / 2);
  return `${text.slice(0, longest - 1 - end)}…${text.slice(text.length - end)}`;
}

/** Broken at spaces, into lines that are no longer than `width` as far as their words allow it. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    for (const word of line.split(' ')) {
      const last = lines.at(-1);
      if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(word);
    }
    return lines;
  });
}

/** The head of a column of numbers. */
export interface NumberColumn {
  readonly title: string;
}

/** A column of numbers, which stand to the right, so that they can be compared. */
export function numbers(title: string): NumberColumn {
  return { title };
}

/** Columns apart by two spaces, without lines: it reads well, and `awk` can take it apart. */
export function formatTable(head: readonly (string | NumberColumn)[], rows: readonly (readonly string[])[]): string {
  const none = '';
  const table = new Table({
    head: head.map((column) => (typeof column === 'string' ? column : column.title)),
    colAligns: head.map((column) => (typeof column === 'string' ? 'left' : 'right')),
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: '  ',
    },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
