import { equalsIgnoreCase } from '../resp/bytes.js';
import type { Command } from './command.js';

export interface Arguments {
  readonly start: Int32Array;
  readonly end: Int32Array;
}

/** The positions of the keys that `findKeys` found, in the order of the arguments. */
export const keyPositions: { at: Int32Array } = { at: new Int32Array(1024) };

const STREAMS = Buffer.from('streams');
const words = new Map<string, Uint8Array>();

/**
 * Finds the keys among `argc` arguments, and writes their positions to `keyPositions`.
 * @returns how many there are, or -1 when the arguments do not have the form that the command asks for
 */
export function findKeys(command: Command, args: Arguments, argc: number, source: Uint8Array): number {
  const { keys } = command;
  switch (keys.kind) {
    case 'none':
      return 0;
    case 'range': {
      const last = keys.last < 0 ? argc + keys.last : keys.last;
      if (keys.first >= argc || last >= argc) return -1;
      let count = 0;
      for (let at = keys.first; at <= last; at += keys.step) push(count++, at);
      return count;
    }
    case 'numkeys': {
      const declared =
        keys.at < argc ? parseCount(source, args.start[keys.at] as number, args.end[keys.at] as number) : -1;
      if (declared < 0 || keys.first + declared * keys.step > argc) return -1;
      let count = 0;
      if (keys.also > 0) push(count++, keys.also);
      for (let i = 0; i < declared; i++) push(count++, keys.first + i * keys.step);
      return count;
    }
    case 'streams':
      return findStreams(args, argc, source);
    case 'looks':
      return findLookedAt(keys.one, keys.several, args, argc, source);
    case 'keyword': {
      if (keys.first >= argc) return -1;
      push(0, keys.first);
      let last = 0;
      // Of several, Redis takes the last one.
      for (let at = keys.from; at + 1 < argc; at++) {
        if (isWord(keys.words, source, args.start[at] as number, args.end[at] as number)) last = ++at;
      }
      if (last === 0) return 1;
      push(1, last);
      return 2;
    }
  }
}

/** Whether each of its keys is followed by a value (MSET). */
export function isOfPairs({ keys }: Command): boolean {
  return (keys.kind === 'range' || keys.kind === 'numkeys') && keys.step === 2;
}

function findLookedAt(
  one: readonly string[],
  several: readonly string[],
  args: Arguments,
  argc: number,
  source: Uint8Array,
): number {
  if (argc < 3) return 0;
  const start = args.start[1] as number;
  const end = args.end[1] as number;
  if (isWord(one, source, start, end)) {
    push(0, 2);
    return 1;
  }
  if (!isWord(several, source, start, end)) return 0;
  for (let at = 2; at < argc; at++) push(at - 2, at);
  return argc - 2;
}

function findStreams(args: Arguments, argc: number, source: Uint8Array): number {
  for (let at = 1; at < argc; at++) {
    if (!equalsIgnoreCase(source, args.start[at] as number, args.end[at] as number, STREAMS)) continue;
    const behind = argc - at - 1;
    if (behind === 0 || behind % 2 !== 0) return -1;
    for (let i = 0; i < behind / 2; i++) push(i, at + 1 + i);
    return behind / 2;
  }
  return -1;
}

function push(index: number, at: number): void {
  if (index >= keyPositions.at.length) {
    const grown = new Int32Array(index * 2);
    grown.set(keyPositions.at);
    keyPositions.at = grown;
  }
  keyPositions.at[index] = at;
}

/** A count of keys: decimal digits only. */
function parseCount(source: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 7) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (source[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function isWord(candidates: readonly string[], source: Uint8Array, start: number, end: number): boolean {
  for (const candidate of candidates) {
    let bytes = words.get(candidate);
    if (bytes === undefined) {
      bytes = Buffer.from(candidate);
      words.set(candidate, bytes);
    }
    if (equalsIgnoreCase(source, start, end, bytes)) return true;
  }
  return false;
}
