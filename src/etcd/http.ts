/** One request to one endpoint, in bounded time. */
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { Timers } from '../time/timers.js';
import type { Endpoint } from './endpoints.js';
import { type EtcdOperation, type EtcdOutcome, publishRequest } from './events.js';
import { type Failure, ofAnswer, ofGarbage, ofOtherCluster, ofSilentRefusal, ofTransport } from './failure.js';
import { clusterOf, readError } from './wire.js';

export type Outcome<T> =
  | { readonly answer: T }
  | {
      readonly failure: Failure;
      /** The connection was closed instead of an answer: some versions do so with a token that they do not know. */
      readonly isEmpty?: boolean;
    };

export interface HttpRequest {
  readonly operation: EtcdOperation;
  readonly path: string;
  readonly body: object;
  readonly token: string | null;
  /** Whether an answer of this cluster counts. */
  readonly accepts: (cluster: string) => boolean;
}

export type OpenStream = Dispatcher.ResponseData['body'];

/** @param timeoutMs for all of it */
export async function ask<T>(
  endpoint: Endpoint,
  request: HttpRequest,
  schema: z.ZodType<T>,
  timeoutMs: number,
  timers: Timers,
): Promise<Outcome<T>> {
  const late = new AbortController();
  const stop = timers.after(timeoutMs, () => late.abort());
  const began = timers.now();
  let outcome: Outcome<T>;
  try {
    const { statusCode, body } = await send(endpoint, request, late.signal);
    outcome = read(statusCode, await body.text(), schema, request);
  } catch (error) {
    const failure = ofTransport(error, late.signal.aborted ? timeoutMs : null);
    outcome = { failure, isEmpty: failure.mayHaveHappened && !late.signal.aborted };
  } finally {
    stop();
  }
  outcome = seen(endpoint, outcome, late.signal.aborted);
  note(endpoint, request.operation, began, timers, outcome, late.signal.aborted);
  return outcome;
}

/**
 * Begins a stream. When this has given one, its first message is on its way.
 * @param signal ends it
 * @param timeoutMs until it begins
 */
export async function openStream(
  endpoint: Endpoint,
  request: HttpRequest,
  signal: AbortSignal,
  timeoutMs: number,
  timers: Timers,
): Promise<Outcome<OpenStream>> {
  const late = new AbortController();
  const stop = timers.after(timeoutMs, () => late.abort());
  const began = timers.now();
  let outcome: Outcome<OpenStream>;
  try {
    const { statusCode, body } = await send(endpoint, request, AbortSignal.any([signal, late.signal]));
    outcome = statusCode === 200 ? { answer: body } : read(statusCode, await body.text(), z.never(), request);
  } catch (error) {
    const failure = ofTransport(error, late.signal.aborted ? timeoutMs : null);
    outcome = { failure, isEmpty: failure.mayHaveHappened && !late.signal.aborted };
  } finally {
    stop();
  }
  outcome = seen(endpoint, outcome, late.signal.aborted || signal.aborted);
  if (!signal.aborted) note(endpoint, request.operation, began, timers, outcome, late.signal.aborted);
  return outcome;
}

function send(endpoint: Endpoint, request: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  return endpoint.pool.request({
    path: request.path,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      // A member that has lost its leader must say so, instead of being silent.
      'grpc-metadata-hasleader': 'true',
      ...(request.token === null ? {} : { authorization: request.token }),
    },
    body: JSON.stringify(request.body),
    signal,
    // Bounded by the signal; a watch may be silent for long.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

function read<T>(status: number, text: string, schema: z.ZodType<T>, { accepts }: HttpRequest): Outcome<T> {
  const body = parse(text);
  if (status === 200) {
    const cluster = clusterOf(body);
    if (cluster !== null && !accepts(cluster)) return { failure: ofOtherCluster() };
    const parsed = schema.safeParse(body);
    if (parsed.success) return { answer: parsed.data };
  }
  const error = readError(body);
  return { failure: error === null ? ofGarbage(status, text) : ofAnswer(status, error) };
}

function seen<T>(endpoint: Endpoint, outcome: Outcome<T>, isEnded: boolean): Outcome<T> {
  if ('answer' in outcome) {
    endpoint.hasAnswered = true;
    return outcome;
  }
  if (isEnded || !endpoint.isSecure || endpoint.hasAnswered) return outcome;
  return { ...outcome, failure: ofSilentRefusal(outcome.failure) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function note(
  endpoint: Endpoint,
  operation: EtcdOperation,
  began: number,
  timers: Timers,
  outcome: Outcome<unknown>,
  isLate: boolean,
): void {
  const seconds = (timers.now() - began) / 1000;
  const why = 'failure' in outcome ? outcome.failure.why : '';
  publishRequest({ operation, outcome: kindOf(outcome, isLate), endpoint: endpoint.name, seconds, why });
}

function kindOf(outcome: Outcome<unknown>, isLate: boolean): EtcdOutcome {
  if ('answer' in outcome) return 'ok';
  if (isLate) return 'timeout';
  return outcome.failure.again === 'elsewhere' ? 'failed' : 'refused';
}
