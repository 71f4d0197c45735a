/**
 * Draws keys as caches see them: a few are asked for often, most of them rarely.
 * @param keys how many there are
 * @param random 0 (inclusive) to 1 (exclusive)
 * @returns 0 to `keys` - 1, small ones most often: the key of rank r about as often as r^(-2/3)
 */
export function skewed(keys: number, random: number): number {
  return Math.floor(keys * random ** 3);
}
