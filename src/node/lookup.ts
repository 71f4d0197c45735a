/**
 * Looks up names of nodes, each once at a time. The system's lookup keeps a thread until the name server has answered,
 * ten seconds when it does not, whatever becomes of the connection that asked; and there are two for it. A node that is
 * down is tried again and again: without this, the lookups of its name would take both, and nodes that are well could
 * not be reached any more.
 */
import { type LookupOptions, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

type LookupCallback = Parameters<LookupFunction>[2];

/** @param look the lookup to be shared. @returns one like it, as `net.connect` takes it */
export function shareLookups(look: LookupFunction): LookupFunction {
  const waiting = new Map<string, LookupCallback[]>();
  return (hostname, options, callback) => {
    // Only what was asked for in the same way has the same answer.
    const { family = 0, hints = 0, all = false } = options;
    const key = JSON.stringify([hostname, family, hints, all]);
    const others = waiting.get(key);
    if (others !== undefined) {
      others.push(callback);
      return;
    }
    waiting.set(key, [callback]);
    look(hostname, options, (error, address, family) => {
      const callbacks = waiting.get(key) ?? [];
      waiting.delete(key);
      for (const each of callbacks) each(error, address, family);
    });
  };
}

/** For `net.connect`: `{ lookup: sharedLookup }`. */
export const sharedLookup: LookupFunction = shareLookups((hostname: string, options: LookupOptions, callback) =>
  lookup(hostname, options, callback),
);
