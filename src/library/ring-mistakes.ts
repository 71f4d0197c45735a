import { isNodeName, isWeight, MOST_NODES, NODE_NAME_RULE, WEIGHT_RULE } from '../config/node-limits.js';
import { HASH_NAMES } from '../ring/hash.js';
import { pointMistakes } from '../ring/node-points.js';
import { DISTRIBUTIONS, HASH_TAG, HASH_TAG_RULE, MOST_VNODES, WEIGHTINGS } from '../ring/ring.js';
import { tagMistakes } from '../ring/tag-mistakes.js';
import { MOST_TAG_PATTERNS, readTagPattern } from '../ring/tag-pattern.js';
import type { RingNode, RingSettings } from './ring-types.js';

/** What a proxy would refuse of them, too. @returns all of it, in words */
export function ringMistakes(nodes: readonly Required<RingNode>[], settings: Required<RingSettings>): string[] {
  const mistakes = [...nodeMistakes(nodes), ...settingMistakes(settings)];
  // What follows needs settings that are what they say.
  if (mistakes.length > 0) return mistakes;
  return [...pointMistakes(nodes, settings), ...tagMistakes(settings.hashTags, settings.hashTag)].map(
    ({ message }) => message,
  );
}

function nodeMistakes(nodes: readonly Required<RingNode>[]): string[] {
  if (nodes.length === 0) return ['it has no nodes'];
  if (nodes.length > MOST_NODES) return [`${nodes.length} nodes: a ring has at most ${MOST_NODES}`];
  const names = new Set<string>();
  return nodes.flatMap(({ name, weight }) => {
    const isTwice = names.has(name);
    names.add(name);
    if (isTwice) return [`node ${name} is named twice`];
    if (typeof name !== 'string' || !isNodeName(name)) return [`'${name}' is not a node name: ${NODE_NAME_RULE}`];
    return isWeight(weight) ? [] : [`weight ${weight} of node ${name}: expected a whole number from ${WEIGHT_RULE}`];
  });
}

function settingMistakes({ hash, distribution, hashTag, hashTags, vnodes, weighting }: Required<RingSettings>) {
  const mistakes: string[] = [];
  const expect = (isRight: boolean, text: string): void => {
    if (!isRight) mistakes.push(text);
  };
  expect(HASH_NAMES.includes(hash), `hash: expected one of ${HASH_NAMES.join(', ')}`);
  expect(DISTRIBUTIONS.includes(distribution), `distribution: expected ${DISTRIBUTIONS.join(' or ')}`);
  expect(WEIGHTINGS.includes(weighting), `weighting: expected ${WEIGHTINGS.join(' or ')}`);
  expect(HASH_TAG.test(hashTag), `hashTag: expected ${HASH_TAG_RULE}`);
  const isCount = Number.isInteger(vnodes) && vnodes >= 1 && vnodes <= MOST_VNODES;
  expect(isCount, `vnodes: expected a whole number from 1 to ${MOST_VNODES}`);
  expect(weighting === 'own' || vnodes % 4 === 0, 'vnodes: must be a multiple of 4 with weighting total');
  expect(hashTags.length <= MOST_TAG_PATTERNS, `hashTags: more than ${MOST_TAG_PATTERNS} patterns`);
  for (const text of hashTags) {
    const pattern = readTagPattern(text);
    if (typeof pattern === 'string') mistakes.push(`hashTags: '${text}' ${pattern}`);
  }
  return mistakes;
}
