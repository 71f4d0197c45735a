/** Arcs of the ring as SVG paths. Hash 0 is at the top, hashes grow clockwise. */

export const HASH_SPACE = 2 ** 32;
export const CENTER = 200;

/** The point at the part `turn` (0 to 1) of a circle, with two decimals: finer is not seen. */
export function pointAt(turn: number, radius: number): string {
  const angle = turn * 2 * Math.PI;
  return `${(CENTER + radius * Math.sin(angle)).toFixed(2)} ${(CENTER - radius * Math.cos(angle)).toFixed(2)}`;
}

/**
 * A piece of a ring.
 * @param from where it begins, as a part of the circle, 0 to 1
 * @param to where it ends; behind `from`
 */
export function sectorPath(from: number, to: number, inner: number, outer: number): string {
  // A whole circle would begin and end at one point, and so be none.
  const end = Math.min(to, from + 0.99999);
  const large = end - from > 0.5 ? 1 : 0;
  return (
    `M${pointAt(from, outer)}A${outer} ${outer} 0 ${large} 1 ${pointAt(end, outer)}` +
    `L${pointAt(end, inner)}A${inner} ${inner} 0 ${large} 0 ${pointAt(from, inner)}Z`
  );
}
