/** Codes of error replies that are counted by name: the proxy's own, and those that nodes answer with. */
const KINDS = [
  'ERR',
  'CROSSSLOT',
  'NODEDOWN',
  'TRYAGAIN',
  'NOAUTH',
  'WRONGPASS',
  'NOPERM',
  'WRONGTYPE',
  'OOM',
  'LOADING',
  'BUSY',
  'READONLY',
  'MISCONF',
  'NOSCRIPT',
  'EXECABORT',
  'NOREPLICAS',
  'BUSYGROUP',
  'NOGROUP',
  'BUSYKEY',
] as const;

const LONGEST = Math.max(...KINDS.map((kind) => kind.length));

/**
 * Counts error replies by the word that they begin with (`-NODEDOWN node …`). Words that are not known share `other`:
 * scripts and modules make up words of their own, and a metric must not grow with them.
 */
export class ErrorKinds {
  readonly #counts = new Map<string, number>([...KINDS, 'other'].map((kind) => [kind, 0]));

  /** Counts the error reply that begins at `start` with its `-`. Makes a string, so it is for errors alone. */
  count(reply: Buffer, start: number): void {
    const from = start + 1;
    let end = from;
    // A space ends the word, and so does the line's end.
    while (end < reply.length && end - from <= LONGEST && (reply[end] as number) > 0x20) end++;
    const word = reply.toString('latin1', from, end);
    const kind = this.#counts.has(word) ? word : 'other';
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** Every kind with how often it was counted, zeros included. */
  entries(): Iterable<readonly [kind: string, count: number]> {
    return this.#counts.entries();
  }
}
