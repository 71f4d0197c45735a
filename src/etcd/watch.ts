/** One watch: from its first revision until it ends, for whatever reason. Who wants to go on begins another one. */
import type { EtcdClient } from './client.js';
import type { Endpoint } from './endpoints.js';
import { type Failure, ofAnswer, ofOtherCluster, ofTransport } from './failure.js';
import { Lines } from './lines.js';
import { watchBody } from './requests.js';
import { clusterOf, readError, type WatchEvent, watchLine } from './wire.js';

export type WatchEnd =
  | { readonly kind: 'stopped' }
  /** What was to be told first is not kept any more: everything has to be read anew. */
  | { readonly kind: 'compacted' }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface WatchListener {
  /** It stands: what is written from its first revision on is told. @param revision of the member that tells it */
  begun(revision: number): void;
  /** What was written by one or more revisions, in order. A revision is told as a whole. */
  told(events: readonly WatchEvent[]): void;
}

/**
 * @param from the first revision that is told
 * @param signal ends it
 * @returns why it ended; the endpoint is left where another one may do better
 */
export async function watch(
  client: EtcdClient,
  range: { readonly key: string; readonly end: string },
  from: number,
  signal: AbortSignal,
  listener: WatchListener,
): Promise<WatchEnd> {
  const { endpoint, outcome } = await client.openWatch(watchBody(range.key, range.end, from), signal);
  if (signal.aborted) {
    if ('answer' in outcome) outcome.answer.destroy();
    return { kind: 'stopped' };
  }
  if ('failure' in outcome) return { kind: 'failed', failure: outcome.failure };
  const lines = new Lines();
  try {
    for await (const chunk of outcome.answer) {
      for (const line of lines.take(chunk)) {
        const end = takeLine(line, listener, client.accepts);
        if (end !== null) return ended(client, endpoint, end);
      }
    }
  } catch (error) {
    if (signal.aborted) return { kind: 'stopped' };
    return ended(client, endpoint, { kind: 'failed', failure: ofTransport(error, null) });
  }
  if (signal.aborted) return { kind: 'stopped' };
  return ended(client, endpoint, { kind: 'failed', failure: broken('the watch was ended') });
}

/** @returns why that is the last line, or null */
function takeLine(line: string, listener: WatchListener, accepts: (cluster: string) => boolean): WatchEnd | null {
  let body: unknown;
  try {
    body = JSON.parse(line);
  } catch {
    return { kind: 'failed', failure: broken('a line of the watch is no JSON') };
  }
  const parsed = watchLine.safeParse(body);
  if (!parsed.success) return { kind: 'failed', failure: broken('a line of the watch is not understood') };
  const { result } = parsed.data;
  if (result === undefined) {
    const error = readError(body);
    return { kind: 'failed', failure: error === null ? broken('the watch failed') : ofAnswer(500, error) };
  }
  const cluster = clusterOf(body);
  if (cluster !== null && !accepts(cluster)) return { kind: 'failed', failure: ofOtherCluster() };
  if (result.compact_revision > 0) return { kind: 'compacted' };
  if (result.canceled) {
    const message = result.cancel_reason.replace(/^rpc error: code = \w+ desc = /, '') || 'the watch was cancelled';
    return { kind: 'failed', failure: ofAnswer(500, { message, code: null }) };
  }
  if (result.created) listener.begun(result.header.revision);
  if (result.events.length > 0) listener.told(result.events);
  return null;
}

function ended(client: EtcdClient, endpoint: Endpoint, end: WatchEnd): WatchEnd {
  if (end.kind === 'failed') client.leave(endpoint, end.failure);
  return end;
}

function broken(why: string): Failure {
  return { code: 'ETCD_UNREACHABLE', why, again: 'elsewhere', mayHaveHappened: false };
}
