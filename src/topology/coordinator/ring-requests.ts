/** What operators ask of the ring, at whichever proxy; as it goes from one proxy to another. */
import { z } from 'zod';
import type { ChangeAccepted, ChangeRequest } from '../../admin/api.js';
import { RingproxyError } from '../../errors.js';
import type { Revision } from '../state/fleet.js';
import type { NodeProcess } from '../state/ring-state.js';

export type RingRequest =
  /** `who`: who has asked for it, as the history tells; missing: a proxy of an earlier version has been asked. */
  | { readonly kind: 'change'; readonly change: ChangeRequest; readonly who?: string | undefined }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume'; readonly noDrain: boolean }
  | { readonly kind: 'throttle'; readonly keysPerSecond: number }
  | { readonly kind: 'cancel'; readonly who?: string | undefined }
  | { readonly kind: 'forget'; readonly id: string }
  | EjectRequest
  | ReturnRequest
  | AbandonRequest
  | ProcessesRequest
  | EmptyRequest;

/** What the fleet asks of its own ring, where nobody else does. */
export type FleetRequest =
  | EjectRequest
  | ReturnRequest
  | AbandonRequest
  | ProcessesRequest
  | EmptyRequest
  | { kind: 'resume'; noDrain: true };

/** The fleet takes nodes out of the ring that do not answer. */
export interface EjectRequest {
  readonly kind: 'eject';
  readonly nodes: readonly { readonly name: string; readonly address: string; readonly why: string }[];
  /** Of the ring by which that was judged. */
  readonly generation: number;
}

/** A node that was ejected comes back. */
export interface ReturnRequest {
  readonly kind: 'return';
  readonly name: string;
  readonly generation: number;
}

/** A node that was coming back has failed again: it stays out after all. */
export interface AbandonRequest {
  readonly kind: 'abandon';
  readonly name: string;
  readonly why: string;
  readonly generation: number;
}

/** Of nodes of which nothing is recorded, these processes may serve; null: of each node any may. */
export interface ProcessesRequest {
  readonly kind: 'processes';
  readonly processes: readonly NodeProcess[] | null;
}

/** A node that was restarted is emptied, and serves again: it is this process now. */
export interface EmptyRequest {
  readonly kind: 'empty';
  readonly node: NodeProcess;
  /** The run id that was recorded when that was judged: a request that comes late is refused. */
  readonly instead: string;
}

export interface RingAnswer {
  /** Whoever routes by this record sees what was done. */
  readonly revision: Revision;
  /** Of a change. */
  readonly accepted: ChangeAccepted | null;
}

/** Carries requests out. */
export interface RingRequests {
  /**
   * @param by the id of the proxy at which it was asked for
   * @throws RingproxyError with the reason when it is refused
   */
  carryOut(request: RingRequest, by: string): Promise<RingAnswer>;
}

/** A request on its way to the proxy that decides. */
export interface Forwarded {
  readonly request: RingRequest;
  readonly by: string;
}

/** What a change says was looked at by the proxy that was asked. */
const isChange = (value: unknown): value is ChangeRequest =>
  typeof value === 'object' && value !== null && 'kind' in value;
const isAccepted = (value: unknown): value is ChangeAccepted =>
  typeof value === 'object' && value !== null && 'generation' in value;

/** Longer than what any proxy makes of who has asked it. */
const MOST_WHO = 256;

const nodeProcess = z.object({ name: z.string(), address: z.string(), runId: z.string().min(1) });

const forwarded = z.object({
  by: z.string(),
  request: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('change'),
      change: z.custom<ChangeRequest>(isChange),
      who: z.string().max(MOST_WHO).optional(),
    }),
    z.object({ kind: z.literal('pause') }),
    z.object({ kind: z.literal('resume'), noDrain: z.boolean() }),
    z.object({ kind: z.literal('throttle'), keysPerSecond: z.number().int().nonnegative() }),
    z.object({ kind: z.literal('cancel'), who: z.string().max(MOST_WHO).optional() }),
    z.object({ kind: z.literal('forget'), id: z.string() }),
    z.object({
      kind: z.literal('eject'),
      nodes: z.array(z.object({ name: z.string(), address: z.string(), why: z.string() })).min(1),
      generation: z.number(),
    }),
    z.object({ kind: z.literal('processes'), processes: z.array(nodeProcess).nullable() }),
    z.object({ kind: z.literal('empty'), node: nodeProcess, instead: z.string().min(1) }),
    z.object({ kind: z.literal('return'), name: z.string(), generation: z.number() }),
    z.object({ kind: z.literal('abandon'), name: z.string(), why: z.string(), generation: z.number() }),
  ]),
});

const answered = z.object({ revision: z.number(), accepted: z.custom<ChangeAccepted>(isAccepted).nullable() });

/** @throws RingproxyError BAD_REQUEST when it is not understood: it may be of another version */
export function parseForwarded(body: unknown): Forwarded {
  const parsed = forwarded.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RingproxyError(
    'BAD_REQUEST',
    `what another proxy asks is not understood: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    'bring the proxies to the same version of ringproxy',
  );
}

/** @returns null when it is not understood */
export function parseAnswer(body: unknown): RingAnswer | null {
  const parsed = answered.safeParse(body);
  return parsed.success ? parsed.data : null;
}
