/** What a chunk ended with in the middle of something: it goes in front of the next chunk. */
export class Cut {
  #bytes: Buffer | null = null;

  /** @returns what is to be read: `received` itself, with its `length`, where nothing was cut; otherwise a buffer that is full */
  join(received: Buffer, length: number): Buffer {
    const cut = this.#bytes;
    if (cut === null) return received;
    this.#bytes = null;
    return Buffer.concat([cut, received.subarray(0, length)]);
  }

  keep(chunk: Buffer, start: number, end: number): void {
    this.#bytes = Buffer.from(chunk.subarray(start, end));
  }
}
