/** What a node may be called and weigh, wherever it comes from: the configuration, the admin API, a nutcracker.yml. */

/** Longer than any host with its port: a node without a name is called by its address. */
export const MOST_NAME = 512;
export const MOST_WEIGHT = 1_000_000;
/** SCAN cursors have room for this many nodes. */
export const MOST_NODES = 1024;

export const NODE_NAME_RULE = `1 to ${MOST_NAME} visible ASCII characters`;
export const WEIGHT_RULE = `1 to ${MOST_WEIGHT}`;

export function isNodeName(text: string): boolean {
  return text.length <= MOST_NAME && /^[\x21-\x7e]+$/.test(text);
}

export function isWeight(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MOST_WEIGHT;
}
