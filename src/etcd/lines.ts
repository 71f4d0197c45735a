/** Lines of a stream, however it is cut into chunks: also in the middle of a character. */

const NEWLINE = 0x0a;
/** More than etcd puts into one message of a watch (its requests are 1.5 MB by default, and it has 1,000 events in one). */
const LONGEST_LINE = 256 * 1024 * 1024;

export class Lines {
  #begun: Buffer[] = [];
  #length = 0;

  /** @returns the lines that end with this chunk, without those that are empty. @throws Error when a line does not end */
  take(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#begun.push(chunk.subarray(from, end));
      const line = Buffer.concat(this.#begun).toString('utf8');
      this.#begun = [];
      this.#length = 0;
      if (line.trim() !== '') lines.push(line);
      from = end + 1;
    }
    if (from < chunk.length) {
      this.#begun.push(chunk.subarray(from));
      this.#length += chunk.length - from;
      if (this.#length > LONGEST_LINE) throw new Error('a line does not end');
    }
    return lines;
  }
}
