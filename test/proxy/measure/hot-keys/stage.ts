/** Commands as the dispatcher has them at hand, and a clock of the test's own. */
import { buildCommandTable } from '../../../../src/commands/build.js';
import { HotKeys } from '../../../../src/proxy/measure/hot-keys/hot-keys.js';
import { isReserved } from '../../../../src/proxy/route/reserved.js';
import { request } from '../../../../src/resp/encode.js';
import { args, RequestFramer } from '../../../../src/resp/request-framer.js';
import { Random } from '../../../fuzz/random.js';

const LIMITS = { maxArgs: 1_048_576, maxBulkLength: 512 * 1024 * 1024, maxInlineLength: 65_536, authenticated: true };
const TICK_MS = 100;
const table = buildCommandTable();

export function seeded(seed: number): () => number {
  const random = new Random(seed);
  return () => random.below(2 ** 30) / 2 ** 30;
}

export class Stage {
  readonly hotKeys: HotKeys;
  /** Commands that the lot has fallen on. */
  draws = 0;
  readonly #framer = new RequestFramer(LIMITS);
  readonly #perSecond: number;
  #untilDraw = 1;
  #sent = 0;
  #ticks = 0;

  /** @param perSecond commands in a second of the test's clock */
  constructor(perSecond: number, seed = 1) {
    this.#perSecond = perSecond;
    this.hotKeys = new HotKeys({ random: seeded(seed), isHidden: isReserved, now: 0 });
  }

  /** Milliseconds. */
  get now(): number {
    return (this.#sent / this.#perSecond) * 1000;
  }

  send(words: readonly (string | Buffer)[], database = 0): void {
    this.sendFrame(request(words), database);
  }

  sendFrame(frame: Buffer, database = 0): void {
    this.#framer.next(frame, 0, frame.length);
    const command = table.lookup(frame, args.start[0] as number, args.end[0] as number);
    if (--this.#untilDraw === 0 && command !== undefined) {
      this.draws++;
      this.#untilDraw = this.hotKeys.draw(command, this.#framer.argc, frame, database);
    }
    this.#sent++;
    this.#tickUntil(this.now);
  }

  /** Nothing is sent for so long. */
  idle(milliseconds: number): void {
    this.#sent += (milliseconds / 1000) * this.#perSecond;
    this.#tickUntil(this.now);
  }

  #tickUntil(now: number): void {
    while ((this.#ticks + 1) * TICK_MS <= now) this.hotKeys.tick(++this.#ticks * TICK_MS);
  }
}
