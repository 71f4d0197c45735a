/**
 * etcd's messages as its JSON gateway writes them: 64-bit numbers are strings, keys and values are base64, and what is
 * zero, empty or false is left out. Fields have the names of etcd's own `rpc.proto`.
 */
import { z } from 'zod';

/** Revisions and lease times stay below 2^53; whatever does not is no answer of an etcd. Lease ids may not: `leaseId`. */
const int64 = z
  .union([z.string(), z.number()])
  .transform(Number)
  .pipe(z.number().int().refine(Number.isSafeInteger))
  .default(0);

/** A lease's id, a number of 64 bits: kept as the text that it came as. */
const leaseId = z.union([z.string(), z.number()]).transform(String).default('0');

const text = z
  .string()
  .default('')
  .transform((base64) => Buffer.from(base64, 'base64').toString('utf8'));

const header = z.object({ revision: int64 }).default({ revision: 0 });

const keyValue = z.object({
  key: text,
  value: text,
  create_revision: int64,
  mod_revision: int64,
  version: int64,
  lease: leaseId,
});

/** A key, and what stands there. */
export type KeyValue = z.infer<typeof keyValue>;

export const rangeAnswer = z.object({ header, kvs: z.array(keyValue).default([]), count: int64 });
export type RangeAnswer = z.infer<typeof rangeAnswer>;

export const txnAnswer = z.object({
  header,
  succeeded: z.boolean().default(false),
  responses: z
    .array(
      z.object({
        response_range: z.object({ kvs: z.array(keyValue).default([]), count: int64 }).optional(),
        response_delete_range: z.object({ deleted: int64 }).optional(),
      }),
    )
    .default([]),
});
export type TxnAnswer = z.infer<typeof txnAnswer>;

export const grantAnswer = z.object({ ID: leaseId, TTL: int64 });

/** One message of what is a stream in gRPC. A lease that is gone has no TTL. */
export const keepAliveAnswer = z.object({ result: z.object({ header, TTL: int64 }) });

export const revokeAnswer = z.object({});

export const tokenAnswer = z.object({ token: z.string() });

/** `type` is left out for what was put. */
const watchEvent = z.object({ type: z.enum(['PUT', 'DELETE']).default('PUT'), kv: keyValue });
export type WatchEvent = z.infer<typeof watchEvent>;

/**
 * One line of a watch: a result, or an error that ends the stream. A watch can also be cancelled by a result; one whose
 * first revision is compacted is told so by `compact_revision`, and the stream stays open.
 */
export const watchLine = z.object({
  result: z
    .object({
      header,
      created: z.boolean().default(false),
      canceled: z.boolean().default(false),
      compact_revision: int64,
      cancel_reason: z.string().default(''),
      events: z.array(watchEvent).default([]),
    })
    .optional(),
  error: z.unknown().optional(),
});

/**
 * Errors, in every form that versions have: `error` and `message` with `code` (3.4), without `error` (3.6), and in
 * streams as an object with `grpc_code`.
 */
const errorShape = z.object({
  error: z.union([z.string(), z.object({}).loose()]).optional(),
  message: z.string().optional(),
  code: z.number().optional(),
  grpc_code: z.number().optional(),
});

/** What etcd says in an error. */
export interface ErrorAnswer {
  readonly message: string;
  /** Of gRPC; null: none was told. */
  readonly code: number | null;
}

/** @returns null: that is no error of an etcd */
export function readError(body: unknown): ErrorAnswer | null {
  const parsed = errorShape.safeParse(body);
  if (!parsed.success) return null;
  const { error, message, code, grpc_code } = parsed.data;
  if (typeof error === 'object') return readError(error);
  const said = message ?? error;
  return said === undefined ? null : { message: said, code: code ?? grpc_code ?? null };
}

const anyHeader = z.object({ cluster_id: z.string() });
const anyAnswer = z.union([
  z.object({ header: anyHeader }),
  z.object({ result: z.object({ header: anyHeader }) }).transform(({ result }) => result),
]);

/** @returns which cluster has answered, or null: that is not told */
export function clusterOf(body: unknown): string | null {
  const { success, data } = anyAnswer.safeParse(body);
  return success ? data.header.cluster_id : null;
}

export function encode(value: string): string {
  return Buffer.from(value, 'utf8').toString('base64');
}

/** @returns the first key behind all that begin so */
export function endOfPrefix(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  // Prefixes are ASCII, and do not end with its last character: nothing has to be carried over.
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}
