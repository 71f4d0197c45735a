import type { SocketWriter } from '../../src/proxy/io/socket-writer.js';

/** A writer that hands all bytes to `write`, which says whether they were taken at once. */
export function writerTo(write: (bytes: Uint8Array) => boolean): SocketWriter {
  return {
    write,
    writeChunk: (chunk, length) => write(chunk.beginning(length)),
    hurry: () => {},
    isRefused: () => false,
  };
}
