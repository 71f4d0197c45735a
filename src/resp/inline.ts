/** Inline commands: a line of words, with the quoting of Redis' sdssplitargs. */
const SPACE = 0x20;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BACKSLASH = 0x5c;
const LOWER_X = 0x78;

const ESCAPES: Readonly<Record<number, number>> = { 110: 0x0a, 114: 0x0d, 116: 0x09, 98: 0x08, 97: 0x07 };

/** As C's isspace: space, tab, newline, vertical tab, form feed, carriage return. */
function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= 0x09 && byte <= 0x0d);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** What ends a word without quotes: fewer bytes than those that are skipped before one. */
function endsWord(byte: number): boolean {
  return byte === SPACE || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** @returns the words of the line `buffer[start, end)`, which holds no zero byte; null when its quotes are unbalanced */
export function splitInline(buffer: Uint8Array, start: number, end: number): Uint8Array[] | null {
  const words: Uint8Array[] = [];
  let at = start;
  for (;;) {
    while (at < end && isSpace(buffer[at] as number)) at++;
    if (at >= end) return words;
    const word: number[] = [];
    let quote = 0;
    for (;;) {
      if (at >= end) {
        if (quote !== 0) return null;
        break;
      }
      const byte = buffer[at] as number;
      if (quote === QUOTE && byte === BACKSLASH && at + 1 < end) {
        const high = hexDigit(at + 2 < end ? buffer[at + 2] : undefined);
        const low = hexDigit(at + 3 < end ? buffer[at + 3] : undefined);
        if (buffer[at + 1] === LOWER_X && high >= 0 && low >= 0) {
          word.push(high * 16 + low);
          at += 4;
        } else {
          const escaped = buffer[at + 1] as number;
          word.push(ESCAPES[escaped] ?? escaped);
          at += 2;
        }
      } else if (quote === APOSTROPHE && byte === BACKSLASH && at + 1 < end && buffer[at + 1] === APOSTROPHE) {
        word.push(APOSTROPHE);
        at += 2;
      } else if (quote !== 0 && byte === quote) {
        // A closing quote ends the word: something else than a space behind it is an error.
        at++;
        if (at < end && !isSpace(buffer[at] as number)) return null;
        break;
      } else if (quote === 0 && endsWord(byte)) {
        break;
      } else if (quote === 0 && (byte === QUOTE || byte === APOSTROPHE)) {
        quote = byte;
        at++;
      } else {
        word.push(byte);
        at++;
      }
    }
    words.push(Uint8Array.from(word));
  }
}

/** The multibulk frame of `words`; where its arguments are is noted in `table`. */
export function encodeInline(words: readonly Uint8Array[], table: { start: Int32Array; end: Int32Array }): Buffer {
  const pieces: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)];
  let at = pieces[0]?.length ?? 0;
  words.forEach((word, i) => {
    const header = Buffer.from(`$${word.length}\r\n`);
    table.start[i] = at + header.length;
    table.end[i] = at + header.length + word.length;
    pieces.push(header, word, Buffer.from('\r\n'));
    at += header.length + word.length + 2;
  });
  return Buffer.concat(pieces);
}
