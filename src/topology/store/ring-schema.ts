/** A ring as it is written down, wherever that is. */
import { z } from 'zod';
import { HASH_NAMES } from '../../ring/hash.js';
import { readTagPattern } from '../../ring/tag-pattern.js';

const ringMember = z.object({
  name: z.string(),
  address: z.string(),
  weight: z.number().int().positive(),
  id: z.number().int().nonnegative(),
  access: z
    .object({
      username: z.string().optional(),
      password: z.string().optional(),
      peerAddress: z.string().optional(),
      /** Missing in records of before, as what follows. */
      tls: z.boolean().optional(),
      tlsServerName: z.string().optional(),
      peerTls: z.boolean().optional(),
    })
    .default({}),
});

const ringMembers = z.array(ringMember).min(1);

const ejectedNodes = z.array(
  ringMember.extend({
    since: z.string(),
    why: z.string(),
    times: z.number().int().positive(),
    proxies: z.array(z.string()),
  }),
);

export const nodeProcesses = z.array(z.object({ name: z.string(), address: z.string(), runId: z.string() }));

export const ringState = z.object({
  generation: z.number().int().positive(),
  options: z.object({
    hash: z.enum(HASH_NAMES),
    distribution: z.enum(['ketama', 'modula']),
    hashTag: z.string(),
    /** Missing in records of before. */
    hashTags: z.array(z.string().refine((text) => typeof readTagPattern(text) !== 'string')).optional(),
    vnodes: z.number().int().positive(),
    weighting: z.enum(['own', 'total']),
  }),
  members: ringMembers,
  consistency: z.enum(['strict', 'available']).optional(),
  ejected: ejectedNodes.optional(),
  returned: z
    .array(z.object({ name: z.string(), address: z.string(), times: z.number().int().positive(), at: z.string() }))
    .optional(),
  processes: nodeProcesses.optional(),
  change: z
    .object({
      id: z.string(),
      kind: z.enum(['add', 'remove', 'reweight', 'replace', 'apply', 'cancel', 'eject', 'return']),
      phase: z.enum(['preparing', 'moving', 'turning']),
      members: ringMembers,
      startedAt: z.string(),
      summary: z.string(),
      by: z.string().optional(),
      who: z.string().optional(),
      undrained: z.array(z.string()),
      givingUp: z.array(z.string()).optional(),
      readdressed: z.array(z.string()).optional(),
      processes: nodeProcesses.default([]),
      throttle: z.number().nonnegative().optional(),
      paused: z.boolean().optional(),
      resumes: z.number().int().nonnegative().optional(),
      still: z.boolean().optional(),
      keysDropped: z.number().nonnegative().optional(),
      ejecting: ejectedNodes.optional(),
    })
    .nullable(),
});

export const historyEntry = z.object({
  id: z.string(),
  kind: z.enum(['bootstrap', 'add', 'remove', 'reweight', 'replace', 'apply', 'cancel', 'eject', 'return']),
  generation: z.number(),
  startedAt: z.string(),
  finishedAt: z.string(),
  by: z.string(),
  who: z.string().nullable().default(null),
  summary: z.string(),
  keysMoved: z.number(),
  bytesMoved: z.number(),
  durationSeconds: z.number(),
  keysDropped: z.number().default(0),
});
