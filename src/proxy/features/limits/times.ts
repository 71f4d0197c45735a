/** How long keys of a group live. All in milliseconds; pure. */
import type { CachePolicy } from '../../caching/policy.js';

/** From 0 up to 1, which it never is. */
export type Random = () => number;

/** Whether the group says anything of times to live. */
export function limitsTtl({ defaultTtl, maxTtl, ttlJitter }: CachePolicy): boolean {
  return defaultTtl > 0 || maxTtl > 0 || ttlJitter > 0;
}

/** @returns what a key gets that has no time to live; 0: none */
export function ttlOfNew(policy: CachePolicy, random: Random): number {
  const { defaultTtl, maxTtl, ttlJitter } = policy;
  const ttl = defaultTtl === 0 || (maxTtl > 0 && maxTtl < defaultTtl) ? maxTtl : defaultTtl;
  return ttl === 0 ? 0 : shortened(ttl, ttlJitter, random);
}

/** @param ttl what a client asks for, above 0 @returns what its key gets */
export function ttlOfGiven(policy: CachePolicy, ttl: number, random: Random): number {
  const { maxTtl, ttlJitter } = policy;
  return shortened(maxTtl > 0 && maxTtl < ttl ? maxTtl : ttl, ttlJitter, random);
}

/**
 * Keys that are filled together shall not expire together.
 * @param share of the time that it loses at most, 0 to 1: never is it longer than what was asked for, nor nothing
 */
function shortened(ttl: number, share: number, random: Random): number {
  return share === 0 ? ttl : Math.max(1, Math.round(ttl - ttl * share * random()));
}
