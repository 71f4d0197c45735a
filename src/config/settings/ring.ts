/** How the first generation of the ring is made. */
import { z } from 'zod';
import { HASH_NAMES } from '../../ring/hash.js';
import {
  DEFAULT_RING_OPTIONS,
  DISTRIBUTIONS,
  HASH_TAG,
  HASH_TAG_RULE,
  MOST_VNODES,
  WEIGHTINGS,
} from '../../ring/ring.js';
import { MOST_TAG_PATTERNS, readTagPattern } from '../../ring/tag-pattern.js';
import type { Setting } from './setting.js';

const hashTag = z
  .string({ message: 'expected two characters, or an empty text' })
  .regex(HASH_TAG, `expected ${HASH_TAG_RULE}`)
  .prefault(DEFAULT_RING_OPTIONS.hashTag);

const EXPECTED = 'expected a list of patterns in quotes, such as "bull:{*}:" or "{resque:}"';

const hashTagPattern = z.string({ message: EXPECTED }).superRefine((text, context) => {
  const pattern = readTagPattern(text);
  if (typeof pattern === 'string') context.addIssue({ code: 'custom', message: `'${text}' ${pattern}` });
});

/** As text: with blanks between the patterns. */
const hashTags = z
  .preprocess(
    (value) => (typeof value === 'string' ? value.split(/\s+/).filter((part) => part !== '') : value),
    z
      .array(hashTagPattern, { message: EXPECTED })
      .max(MOST_TAG_PATTERNS, `more than ${MOST_TAG_PATTERNS} patterns: each is compared with the keys`),
  )
  .prefault([]);

export const RING_SETTINGS = {
  hash: {
    path: 'ring.hash',
    type: 'choice',
    values: HASH_NAMES,
    default: DEFAULT_RING_OPTIONS.hash,
    help: "hash of the keys; all but murmur3 are twemproxy's; fixed at the first start",
  },
  distribution: {
    path: 'ring.distribution',
    type: 'choice',
    values: DISTRIBUTIONS,
    default: DEFAULT_RING_OPTIONS.distribution,
    help: "ketama: nodes are spread over a ring; modula: twemproxy's division by the sum of the weights, where most keys move when a node is added; fixed at the first start",
  },
  hashTag: {
    path: 'ring.hash-tag',
    type: 'own',
    schema: hashTag,
    kind: 'two characters, or empty',
    default: DEFAULT_RING_OPTIONS.hashTag,
    help: 'only what stands between them is hashed, which brings keys together; fixed at the first start',
  },
  hashTags: {
    path: 'ring.hash-tags',
    type: 'own',
    schema: hashTags,
    kind: 'patterns',
    default: '[]',
    help: 'which part of a key without a hash tag is hashed, such as bull:{*}: or {resque:}; the first that matches; fixed at the first start',
  },
  vnodes: {
    path: 'ring.vnodes',
    type: 'count',
    least: 1,
    most: MOST_VNODES,
    default: DEFAULT_RING_OPTIONS.vnodes,
    help: 'points on the ring of a node of weight 1 (twemproxy: 160); fixed at the first start',
  },
  weighting: {
    path: 'ring.weighting',
    type: 'choice',
    values: WEIGHTINGS,
    default: DEFAULT_RING_OPTIONS.weighting,
    help: "own: a node's points depend on its weight alone; total: twemproxy's way, by its part of all weights",
  },
} as const satisfies Readonly<Record<string, Setting>>;
