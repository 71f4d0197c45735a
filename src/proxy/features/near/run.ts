/**
 * Hits in a row. Of the commands that came in one piece behind one that was answered from what is kept, those that differ
 * from it in nothing but their key, and are kept as well, are answered here: what is asked of each other command (which one
 * it is, what modes its client is in, whether replies are still to come in front of its own) holds for all of them, and they
 * are counted together. The first one that is not kept, not sure, or another command ends the run, and goes the usual way.
 *
 *   *2 $3 GET │ $16 key:000000000001       the head is compared with the one of the command before,
 *    head     │ rest                       the rest with what is kept
 */
import type { Command } from '../../../commands/command.js';
import { DOLLAR, ZERO } from '../../../resp/bytes.js';
import { bulkIsNull } from '../../../resp/inspect.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { wordsToRead } from '../../../resp/words.js';
import type { Counters } from '../../measure/counters.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { FRESH, type Judgement } from './store/judge.js';
import { kindOf, type NearStore, readHashOf } from './store/near-store.js';
import { GROUP, NONE } from './store/record.js';

/** Longer names, of which a head is made, are left out. */
const MOST_HEAD_BYTES = 64;
/** A key's length has at most so many digits here. */
const MOST_DIGITS = 5;
/** A header of one word: `$1\r\n`, `$16\r`. */
const WORD = 4;

/** Decides whether a record may be served. */
export interface Judge {
  judge(store: NearStore, record: number): Judgement;
}

export class HitRun {
  /** How many commands the last run has answered. */
  length = 0;
  readonly #counters: Counters;
  readonly #judge: Judge;

  constructor(counters: Counters, judge: Judge) {
    this.#counters = counters;
    this.#judge = judge;
  }

  /**
   * Answers what of `buffer[from, end)` goes on like the command that `framer` holds, which was a hit.
   * @param most commands
   * @returns the offset behind the last one that was answered
   */
  serve(
    client: ClientConnection,
    { argc, source, frameStart }: RequestFramer,
    command: Command,
    store: NearStore,
    buffer: Buffer,
    from: number,
    end: number,
    most: number,
  ): number {
    this.length = 0;
    const words = wordsToRead(buffer);
    const nameEnd = (args.end[0] as number) + 2;
    const headLength = nameEnd - frameStart;
    let room = client.roomAtOnce;
    if (words === null || source !== buffer || argc !== 2 || headLength > MOST_HEAD_BYTES || room <= 0) return from;
    const { groups } = this.#counters;
    const { numbers } = store;
    const kind = kindOf(command.id, client.kind.protocol, client.kind.database);
    const lastHeadWord = headLength - WORD;
    let group = groups.atHand;
    let served = 0;
    let misses = 0;
    let at = from;
    while (served < most && room > 0) {
      const rest = at + headLength;
      // Nothing is compared beyond the end: the rest of a frame has a word at least.
      if (rest + WORD > end || !sameHead(words, frameStart, at, lastHeadWord)) break;
      const next = endOfRest(buffer, rest, end);
      if (next > end) break;
      const record = store.find(readHashOf(kind, buffer, rest, next), kind, buffer, rest, next);
      if (record === NONE || this.#judge.judge(store, record) !== FRESH) break;
      const ownGroup = numbers[record + GROUP] as number;
      if (ownGroup !== group) {
        if (groups.policyOfNumber(ownGroup)?.earlyRefresh === true) break;
        this.#count(command, group, served - this.length, misses);
        this.length = served;
        misses = 0;
        group = ownGroup;
      }
      const start = store.replyStart(record);
      const replyEnd = store.replyEnd(record);
      if (bulkIsNull(store.bytes, start)) misses++;
      store.touch(record);
      client.answerAtOnce(store.bytes, store.words, start, replyEnd);
      room -= replyEnd - start;
      served++;
      at = next;
    }
    this.#count(command, group, served - this.length, misses);
    this.length = served;
    return at;
  }

  #count(command: Command, group: number, count: number, misses: number): void {
    if (count === 0) return;
    this.#counters.answeredAtOnce(command.id, group, count);
    this.#counters.groups.nearHits(group, count);
    if (command.cacheRead === 'key') this.#counters.readMany(group, count - misses, misses);
  }
}

/** Whether the heads at `one` and `other` are the same. @param last offset of their last word */
function sameHead(words: DataView, one: number, other: number, last: number): boolean {
  for (let i = 0; i < last; i += WORD) {
    if (words.getInt32(one + i, true) !== words.getInt32(other + i, true)) return false;
  }
  return words.getInt32(one + last, true) === words.getInt32(other + last, true);
}

/**
 * The end of the argument whose header is at `at`, with its line end. Whether the header is well formed need not be looked
 * at: what is kept was. @returns beyond `end`: it is not here whole, or is no such argument
 */
function endOfRest(buffer: Uint8Array, at: number, end: number): number {
  if (buffer[at] !== DOLLAR) return end + 1;
  let value = 0;
  let p = at + 1;
  const stop = p + MOST_DIGITS;
  let digit = (buffer[p] as number) - ZERO;
  while (digit >= 0 && digit <= 9 && p < stop) {
    value = value * 10 + digit;
    digit = (buffer[++p] as number) - ZERO;
  }
  return p + 2 + value + 2;
}
