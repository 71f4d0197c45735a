/** Each node's colour: by its number in the ring, which it keeps, so it is the same tomorrow and on every proxy. */

/** As many as page.css has, for a light and a dark page. */
const PALETTE = 12;
/** Turning the hue by it over and over never comes near an earlier one soon. */
const GOLDEN_ANGLE = 137.508;

/** @returns a CSS colour that follows the colour scheme */
export function nodeColor(id: number): string {
  if (id < PALETTE) return `var(--node-${id})`;
  // In oklch all hues stand out from the page alike; in hsl a yellow is hard to see where a blue is not.
  return `oklch(var(--node-lightness) var(--node-chroma) ${Math.round(id * GOLDEN_ANGLE) % 360}deg)`;
}

/** What a CSS colour is now, for a canvas, which knows no variables. */
export function resolveColor(color: string): string {
  const probe = document.createElement('span');
  probe.style.setProperty('color', color);
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}
