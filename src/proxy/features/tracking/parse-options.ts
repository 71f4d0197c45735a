import { anyOverlap, bytesOf, overlap } from '../../invalidations/prefixes.js';
import { isInteger } from '../../session/words.js';
import type { TrackingOptions } from './client-tracking.js';

const SYNTAX = 'ERR syntax error';
export const NO_SUCH_TARGET = 'ERR The client ID you want redirect to does not exist';
/** A client's prefixes: Redis has no bound, but walks over all of them with every write. */
const MOST_PREFIXES = 10_000;
const MOST_PREFIX_BYTES = 1_048_576;
const TOO_MANY = `ERR too many prefixes: a client may have ${MOST_PREFIXES}, of ${MOST_PREFIX_BYTES} bytes together`;

/**
 * Reads the arguments behind CLIENT TRACKING ON or OFF.
 * @param words with one character for each byte
 * @param current what the client tracks by now; null: it does not
 * @param on whether tracking is to begin; where it is to end, options need only be well-formed
 * @returns the options, or the error that Redis has
 */
export function parseTrackingOptions(
  words: readonly string[],
  current: TrackingOptions | null,
  on: boolean,
): TrackingOptions | string {
  let redirect = 0;
  const prefixes: string[] = [];
  const flags = { bcast: false, optIn: false, optOut: false, noLoop: false };
  for (let i = 0; i < words.length; i++) {
    const word = words[i]?.toLowerCase();
    const value = words[i + 1];
    if (word === 'redirect' && value !== undefined) {
      if (redirect !== 0) return 'ERR A client can only redirect to a single other client';
      if (!isInteger(value)) return 'ERR value is not an integer or out of range';
      redirect = Number(value);
      // No client has an id below 1.
      if (redirect < 1) return NO_SUCH_TARGET;
      i++;
    } else if (word === 'prefix' && value !== undefined) {
      prefixes.push(value);
      i++;
    } else if (word === 'bcast') flags.bcast = true;
    else if (word === 'optin') flags.optIn = true;
    else if (word === 'optout') flags.optOut = true;
    else if (word === 'noloop') flags.noLoop = true;
    else return SYNTAX;
  }
  const options = { redirect, ...flags, prefixes };
  return on ? fitted(options, current) : options;
}

/** Options must go together, and with what the client tracks already. */
function fitted(options: TrackingOptions, current: TrackingOptions | null): TrackingOptions | string {
  const { bcast, optIn, optOut, prefixes } = options;
  if (!bcast && prefixes.length > 0) return 'ERR PREFIX option requires BCAST mode to be enabled';
  if (current !== null && current.bcast !== bcast) {
    return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.";
  }
  if (bcast && (optIn || optOut)) return 'ERR OPTIN and OPTOUT are not compatible with BCAST';
  if (optIn && optOut) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if (current !== null && ((optIn && current.optOut) || (optOut && current.optIn))) {
    return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.";
  }
  if (!bcast) return options;
  // Prefixes add up from one CLIENT TRACKING to the next.
  const before = current?.prefixes ?? [];
  if (before.length + prefixes.length > MOST_PREFIXES) return TOO_MANY;
  if (bytesOf(before) + bytesOf(prefixes) > MOST_PREFIX_BYTES) return TOO_MANY;
  const error = anyOverlap([...before, ...prefixes]) ? overlapError(before, prefixes) : null;
  if (error !== null) return error;
  // Without a prefix it is all keys.
  const all = prefixes.length === 0 ? new Set([...before, '']) : [...before, ...prefixes];
  return { ...options, prefixes: [...all] };
}

/** Which of the prefixes overlap, as Redis says it. */
function overlapError(before: readonly string[], prefixes: readonly string[]): string | null {
  for (const [i, prefix] of prefixes.entries()) {
    const existing = before.find((other) => overlap(prefix, other));
    if (existing !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with an existing prefix '${existing}'. Prefixes for a single client must not overlap.`;
    }
    const other = prefixes.slice(i + 1).find((candidate) => overlap(prefix, candidate));
    if (other !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with another provided prefix '${other}'. Prefixes for a single client must not overlap.`;
    }
  }
  return null;
}
