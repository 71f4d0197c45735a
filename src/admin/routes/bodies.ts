/** Bodies that routes take, but that of a change of the ring (`change-request.ts`): schemas, and what is said of them. */
import { z } from 'zod';
import { changeRequest } from '../change-request.js';
import type { RouteBody } from './row.js';

export const checkBody = {
  schema: z.strictObject({ fix: z.boolean().default(false) }),
  optional: true,
  examples: { look: {}, remove: { fix: true } },
} as const satisfies RouteBody;

export const resumeBody = {
  schema: z.strictObject({ noDrain: z.boolean().default(false) }),
  optional: true,
  examples: { 'go on': {}, 'give up the keys of nodes that do not answer': { noDrain: true } },
} as const satisfies RouteBody;

export const cancelBody = {
  schema: z.strictObject({ dryRun: z.boolean().default(false) }),
  optional: true,
  examples: { 'move everything back': {}, 'say what would move back': { dryRun: true } },
} as const satisfies RouteBody;

export const throttleBody = {
  schema: z.strictObject({ keysPerSecond: z.number().int().min(0) }),
  optional: false,
  examples: { 'at most': { keysPerSecond: 10_000 }, 'no limit': { keysPerSecond: 0 } },
} as const satisfies RouteBody;

export const changeBody = {
  schema: changeRequest,
  optional: false,
  examples: {
    'say what an add would move': {
      kind: 'add',
      add: [{ name: 'd', address: '10.0.0.4:6379', weight: 2 }],
      dryRun: true,
    },
    'remove a node that is gone': { kind: 'remove', remove: ['a'], noDrain: true },
    'another weight, slowly': { kind: 'reweight', weights: [{ name: 'b', weight: 3 }], throttle: 5000 },
    'another server': { kind: 'replace', replace: [{ name: 'c', address: '10.0.0.5:6379' }], flush: true },
    'a node with a login of its own': {
      kind: 'add',
      add: [
        {
          name: 'e',
          address: '10.0.0.7:6379',
          username: 'proxy',
          password: 'secret',
          peerAddress: '192.168.0.7:6379',
        },
      ],
    },
    'several at once': {
      kind: 'apply',
      add: [{ address: '10.0.0.6:6379' }],
      remove: ['a'],
      weights: [{ name: 'b', weight: 1 }],
    },
  },
} as const satisfies RouteBody;

/** Words of a group, or groups by name: what they mean is for `config` to see. */
export const groupWords = z.record(z.string(), z.unknown());

/** Words of a group, as in the configuration. */
export const groupBody = {
  schema: groupWords,
  optional: false,
  examples: { near: { prefixes: ['page:', 'html:'], cache: 'near', 'near-ttl': '5s' } },
} as const satisfies RouteBody;

/** `null`: the default again. */
export const groupWordsBody = {
  schema: groupWords,
  optional: false,
  examples: { 'change words': { cache: 'near', 'near-ttl': '2s', 'fill-wait': null } },
} as const satisfies RouteBody;

/** Groups by name, as in the configuration. */
export const groupsBody = {
  schema: groupWords,
  optional: false,
  examples: { all: { pages: { prefixes: ['page:'], cache: 'near' }, sessions: 'session:' } },
} as const satisfies RouteBody;
