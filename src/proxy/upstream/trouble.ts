/**
 * What a node says that answers and nevertheless cannot do what it is there for: it loads, is a replica, is out of
 * memory, may not do what its user is asked to. It stands in its error replies, which go to clients; here it is noted
 * for the operator.
 */

const NAMES = ['LOADING', 'READONLY', 'MISCONF', 'OOM', 'NOPERM', 'NOAUTH', 'MASTERDOWN', 'NOREPLICAS'] as const;

/** The code of such an error. */
export type TroubleCode = (typeof NAMES)[number];

const CODES: readonly Buffer[] = NAMES.map((code) => Buffer.from(`-${code} `));
const TURNED_AWAY = Buffer.from('turned away');
/** It is over when the node has not said so for this long. Milliseconds. */
const LASTS_MS = 5000;
const MOST_TEXT = 200;

export class Trouble {
  readonly #publish: (reason: string) => void;
  #code: Buffer | null = null;
  #seenAt = 0;

  /** @param publish is given what the node says when it begins to, and an empty text when that is over */
  constructor(publish: (reason: string) => void) {
    this.#publish = publish;
  }

  /** The node has answered the error `buffer[start, end)`. @param now milliseconds, by the clock */
  note(buffer: Buffer, start: number, end: number, now: number): void {
    const code = CODES.find((candidate) => startsWith(buffer, start, end, candidate));
    if (code !== undefined)
      this.#note(code, buffer.toString('utf8', start + 1, Math.min(end - 2, start + MOST_TEXT)), now);
  }

  /** The node serves by the connections that it has, and lets no further one in. @param why its words */
  noteTurnedAway(why: string, now: number): void {
    this.#note(TURNED_AWAY, why, now);
  }

  #note(code: Buffer, text: string, now: number): void {
    // One at a time: a node with two troubles would go from one to the other all the time.
    if (this.#code === null) {
      this.#code = code;
      this.#publish(text);
    } else if (this.#code !== code) return;
    this.#seenAt = now;
  }

  /** Called about ten times a second. */
  tick(now: number): void {
    if (this.#code === null || now - this.#seenAt < LASTS_MS) return;
    this.#code = null;
    this.#publish('');
  }
}

function startsWith(buffer: Buffer, start: number, end: number, word: Buffer): boolean {
  return end - start > word.length && buffer.compare(word, 0, word.length, start, start + word.length) === 0;
}
