/** Begins the reads that are kept. */
import type { MissingReply } from '../../../commands/columns.js';
import type { KeyHash } from '../../../ring/rings.js';
import { NO_KEYS_AT_ALL } from '../../request/request.js';
import type { Router } from '../../route/router.js';
import type { Lane } from '../../upstream/lane.js';
import { type Fill, FillPool, OwnFill } from './fill.js';
import type { Keeper } from './keeper.js';

const PTTL = Buffer.from('*2\r\n$4\r\nPTTL\r\n');
const GET = Buffer.from('*2\r\n$3\r\nGET\r\n');

/** What a fill is to know of what it keeps. */
export interface FillOrder {
  readonly hash: number;
  readonly kind: number;
  readonly keyHash: number;
  readonly ringHash: KeyHash;
  readonly group: number;
  readonly most: number;
  readonly leavesOut: MissingReply | null;
}

export class Fills {
  readonly #router: Router;
  readonly #keeper: Keeper;
  readonly #pool: FillPool;
  /** Rises with each snapshot. */
  generation = 0;

  constructor(router: Router, keeper: Keeper) {
    this.#router = router;
    this.#keeper = keeper;
    this.#pool = new FillPool(keeper);
  }

  /**
   * Asks for the time to live, by the lane that the read is sent by next.
   * @param source has what follows the command's name in [start, end), and the key as a bulk, its header included, in
   * [start, keyEnd)
   */
  ask(lane: Lane, order: FillOrder, source: Buffer, start: number, keyEnd: number, end: number): Fill {
    const { nodes, inFlight } = this.#keeper;
    const fill = this.#pool.take();
    fill.hash = order.hash;
    fill.kind = order.kind;
    fill.keyHash = order.keyHash;
    fill.ringHash = order.ringHash;
    fill.group = order.group;
    fill.most = order.most;
    fill.leavesOut = order.leavesOut;
    fill.copyRest(source, start, end);
    fill.lane = lane;
    fill.slot = nodes.slotOf(lane.node);
    fill.epoch = nodes.epoch[fill.slot] as number;
    fill.version = inFlight.version(order.keyHash);
    fill.generation = this.generation;
    fill.sentAt = this.#router.shared.clock.now;
    lane.askOf(PTTL, source, start, keyEnd, fill, NO_KEYS_AT_ALL);
    return fill;
  }

  /** Reads the key, which `source` has as a bulk in [start, end), for what is kept alone. */
  own(lane: Lane, order: FillOrder, source: Buffer, start: number, end: number): void {
    const fill = this.ask(lane, order, source, start, end, end);
    fill.begin();
    lane.askOf(GET, source, start, end, new OwnFill(fill, this.#keeper), NO_KEYS_AT_ALL);
  }
}
