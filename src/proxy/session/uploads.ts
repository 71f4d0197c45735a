import { error as encodeError } from '../../resp/encode.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { DataPlaneOptions } from '../options.js';
import type { Request } from '../request/request.js';
import type { Lane } from '../upstream/lane.js';
import { STREAM_HIGH_WATER } from './paused-lanes.js';
import type { UploadPlan } from './upload.js';
import { Upload } from './upload.js';

/** What passing a large value on needs of its client. */
export interface UploadingClient {
  /** Requests whose replies have not left yet. */
  readonly pending: number;
  /** No frame is handled until something has happened. */
  readonly isHeld: boolean;
  /** A request behind those that wait for their replies. */
  begin(command: number): Request;
  reply(command: number, reply: Buffer, failed: boolean): void;
  /** No further frame is handled until all replies have left. */
  raiseBarrier(): void;
  /** The client waits until the lane takes more, and is not read meanwhile. */
  waitUnread(lane: Lane): void;
  /** Keeps `buffer[start, end)` as all that has come, and reads nothing further. */
  keepUnread(buffer: Buffer, start: number, end: number): void;
  /** The lane has carried the value, and nothing is in flight on it. */
  giveBack(lane: Lane): void;
  endAfterReplies(reason?: string): void;
  close(reason: string): void;
}

/** A client's large values, each passed on as it comes instead of being gathered (`Upload`): one at a time. */
export class Uploads {
  readonly #client: UploadingClient;
  readonly #options: DataPlaneOptions;
  #current: Upload | null = null;

  constructor(client: UploadingClient, options: DataPlaneOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** A value has begun to come, and has not ended. */
  get active(): boolean {
    return this.#current !== null;
  }

  /**
   * The frame at hand has a large value: passes on what has come of it, `buffer[start, end)`, or keeps it until it can begin.
   * @param plan where it goes @param now by the clock
   */
  begin(plan: UploadPlan, framer: RequestFramer, buffer: Buffer, start: number, end: number, now: number): void {
    const client = this.#client;
    framer.reset();
    if (client.isHeld || client.pending > 0) {
      // What is in flight may concern the same key, and goes by another lane.
      if (!client.isHeld) client.raiseBarrier();
      client.keepUnread(buffer, start, end);
      return;
    }
    if (plan.lane === null) {
      this.#current = new Upload(null, now);
      client.reply(plan.command, plan.failure, true);
    } else this.#current = this.#send(plan, plan.lane, now);
    this.pass(buffer, start, end, now);
  }

  /** Passes on what belongs to the value of `buffer[start, end)`. @returns the offset behind it */
  pass(buffer: Buffer, start: number, end: number, now: number): number {
    const upload = this.#current;
    if (upload === null) return start;
    const at = upload.pass(buffer, start, end, now);
    if (at < 0) {
      this.#current = null;
      upload.abandon(encodeError('ERR Protocol error: invalid bulk length'));
      this.#client.endAfterReplies();
      return end;
    }
    if (upload.complete) {
      this.#current = null;
      return at;
    }
    const { lane } = upload;
    if (lane !== null && !lane.closed && lane.outlet.pending > STREAM_HIGH_WATER) this.#client.waitUnread(lane);
    return at;
  }

  /** Ends a client that does not send its value, or not to its end. @returns whether it does not */
  tick(now: number): boolean {
    const upload = this.#current;
    if (upload === null) return false;
    const { clientStallTimeout, clientUploadTimeout } = this.#options;
    // The node does not take what the client has sent.
    if (this.#client.isHeld) upload.receivedAt = now;
    const why = upload.overdue(now, clientStallTimeout, clientUploadTimeout);
    if (why === null) return false;
    this.#current = null;
    if (upload.abandon(encodeError(`ERR ${why}`))) this.#client.endAfterReplies(why);
    else this.#client.close(why);
    return true;
  }

  /** Nothing more of the client is read. @param why for people @returns whether it ends in the middle of a value */
  end(why: string): boolean {
    const upload = this.#current;
    if (upload === null) return false;
    this.#current = null;
    upload.abandon(null);
    this.#client.endAfterReplies(why);
    return true;
  }

  /** The client has left: a lane on which half a command has left cannot be used by anybody else. */
  cut(): void {
    this.#current?.lane?.end('closed', 'the client left');
    this.#current = null;
  }

  #send(plan: UploadPlan, lane: Lane, now: number): Upload {
    const request = this.#client.begin(plan.command);
    request.keys = plan.keys;
    request.keyHash = plan.keyHash;
    request.lane = lane;
    lane.enqueue(request);
    return new Upload({ request, lane, whenIdle: (idle) => this.#client.giveBack(idle), behind: plan.behind }, now);
  }
}
