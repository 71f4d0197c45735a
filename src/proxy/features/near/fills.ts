/** Begins the reads that are kept. */
import type { MissingReply } from '../../../commands/columns.js';
import { NO_KEYS_AT_ALL } from '../../request/request.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import { ClientFill, Fill, type FillRead, OwnFill } from './fill.js';
import type { Keeper } from './keeper.js';

const PTTL = Buffer.from('*2\r\n$4\r\nPTTL\r\n');
const GET = Buffer.from('*2\r\n$3\r\nGET\r\n');

/** What a fill is to know of the command at hand. */
export interface FillOrder {
  readonly hash: number;
  readonly kind: number;
  readonly keyHash: number;
  readonly ringHash: number;
  readonly group: number;
  readonly most: number;
  readonly leavesOut: MissingReply | null;
}

export class Fills {
  readonly #router: Router;
  readonly #keeper: Keeper;
  /** Rises with each snapshot. */
  generation = 0;

  constructor(router: Router, keeper: Keeper) {
    this.#router = router;
    this.#keeper = keeper;
  }

  /**
   * Asks for the time to live, by the lane that the read is sent by next.
   * @param source has what follows the command's name in [start, end), and the key as a bulk, its header included, in
   * [start, keyEnd)
   * @returns the read's companion
   */
  ofClient(
    client: ClientConnection,
    lane: Lane,
    order: FillOrder,
    source: Buffer,
    start: number,
    keyEnd: number,
    end: number,
  ): ClientFill {
    return new ClientFill(client, this.#begin(lane, order, source, start, keyEnd, end), this.#keeper);
  }

  /** Reads the key, which `source` has as a bulk in [start, end), for what is kept alone. */
  own(lane: Lane, order: FillOrder, source: Buffer, start: number, end: number): void {
    const fill = this.#begin(lane, order, source, start, end, end);
    const frame = Buffer.allocUnsafe(GET.length + end - start);
    GET.copy(frame);
    source.copy(frame, GET.length, start, end);
    lane.ask(frame, new OwnFill(fill, this.#router.shared.requests), NO_KEYS_AT_ALL);
  }

  #begin(lane: Lane, order: FillOrder, source: Buffer, start: number, keyEnd: number, end: number): Fill {
    const { nodes, inFlight } = this.#keeper;
    const { node } = lane;
    const slot = nodes.slotOf(node);
    const { clock, requests } = this.#router.shared;
    const read: FillRead = {
      ...order,
      rest: Buffer.from(source.subarray(start, end)),
      node,
      slot,
      epoch: nodes.epoch[slot] as number,
      version: inFlight.version(order.keyHash),
      generation: this.generation,
      sentAt: clock.now,
    };
    const fill = new Fill(read, this.#keeper, requests);
    const frame = Buffer.allocUnsafe(PTTL.length + keyEnd - start);
    PTTL.copy(frame);
    source.copy(frame, PTTL.length, start, keyEnd);
    lane.ask(frame, fill, NO_KEYS_AT_ALL);
    return fill;
  }
}
