/** The body of `POST /v1/ring/changes`: what it may say, and what would contradict itself. */
import { z } from 'zod';
import { isNodeName, isWeight, MOST_NODES, NODE_NAME_RULE, WEIGHT_RULE } from '../config/node-limits.js';
import { RingproxyError } from '../errors.js';

const weight = z.number().refine(isWeight, `expected a whole number from ${WEIGHT_RULE}`);

const access = {
  username: z.string().optional(),
  password: z.string().optional(),
  peerAddress: z.string().optional(),
  tls: z.boolean().optional(),
  tlsServerName: z.string().optional(),
};

const nodeInput = z.strictObject({
  name: z.string().refine(isNodeName, `expected ${NODE_NAME_RULE}`).optional(),
  address: z.string(),
  weight: weight.optional(),
  ...access,
});

/** No more than a ring may have: whoever sends a hundred thousand is refused before anything is compared with the ring. */
const some = <Item extends z.ZodType>(item: Item) => z.array(item).max(MOST_NODES).optional();

/** What it may say; that it does not contradict itself is `parseChange`'s to see. */
export const changeRequest = z
  .strictObject({
    kind: z.enum(['add', 'remove', 'reweight', 'replace', 'apply']),
    add: some(nodeInput),
    remove: some(z.string()),
    weights: some(z.strictObject({ name: z.string(), weight })),
    replace: some(z.strictObject({ name: z.string(), address: z.string(), ...access })),
    noDrain: z.boolean().optional(),
    flush: z.boolean().optional(),
    force: z.boolean().optional(),
    throttle: z.number().int().min(0).optional(),
    dryRun: z.boolean().optional(),
  })
  .refine((body) => [body.add, body.remove, body.weights, body.replace].some((part) => (part?.length ?? 0) > 0), {
    message: 'names no node',
  });

type ParsedChange = z.output<typeof changeRequest>;

const HINT =
  'expected {"kind":"add","add":[{"name":"n4","address":"HOST:PORT"}]}, {"kind":"remove","remove":["n4"]} or the like';

/** @throws RingproxyError BAD_REQUEST when it is not understood, or says two things of one node */
export function parseChange(body: unknown): ParsedChange {
  const parsed = changeRequest.safeParse(body);
  if (parsed.success) {
    refuseContradictions(parsed.data);
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  const what = `the change is not understood: ${where === '' ? '' : `${where}: `}${issue?.message ?? 'no body'}`;
  throw new RingproxyError('BAD_REQUEST', what, HINT);
}

function refuseContradictions({ kind, add = [], remove = [], weights = [], replace = [] }: ParsedChange): void {
  const named = {
    add: add.map((node) => node.name ?? node.address),
    remove,
    weights: weights.map((entry) => entry.name),
    replace: replace.map((entry) => entry.name),
  };
  const own = kind === 'apply' ? null : kind === 'reweight' ? 'weights' : kind;
  if (own !== null && named[own].length === 0) refuse(`the change is of kind ${kind}, and ${own} is empty`, HINT);
  for (const [part, names] of Object.entries(named)) {
    const twice = findTwice(names);
    if (twice !== undefined) refuse(`${part} names ${twice} twice`, 'name each node once');
  }
  const address = findTwice([...add, ...replace].map((node) => node.address));
  if (address !== undefined) refuse(`${address} is to be two nodes`, 'a node can be in the ring once');
  for (const part of ['add', 'weights', 'replace'] as const) {
    const both = remove.find((name) => named[part].includes(name));
    if (both === undefined) continue;
    const hint = part === 'add' ? 'to put another server in its place use replace' : 'leave one of the two out';
    refuse(`${both} is both in remove and in ${part}`, hint);
  }
  const both = named.add.find((name) => named.weights.includes(name) || named.replace.includes(name));
  if (both !== undefined) refuse(`${both} is to be added and changed at once`, 'give its weight and address in add');
}

function findTwice(texts: readonly string[]): string | undefined {
  return texts.find((text, index) => texts.indexOf(text) < index);
}

function refuse(message: string, hint: string): never {
  throw new RingproxyError('BAD_REQUEST', message, hint);
}
