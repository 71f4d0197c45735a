/**
 * A process of its own: answers each GET of the benchmark's with the same value, without looking at it: by their number in
 * a chunk, which its length tells. So it takes what reads and writes of sockets take, and nothing more: what is kept near
 * cannot be answered by less. Prints where it listens.
 */
import { createServer } from 'node:net';
import { readInto } from '../../../src/proxy/io/raw-socket.js';
import { createSocketWriter } from '../../../src/proxy/io/socket-writer.js';
import { request } from '../../../src/resp/encode.js';
import { benchmarkKey } from '../redis-benchmark.js';

const RECEIVE_BYTES = 65_536;
const [, , valueBytes = '64'] = process.argv;
const frame = request(['GET', benchmarkKey(0)]).length;
const value = `$${valueBytes}\r\n${'x'.repeat(Number(valueBytes))}\r\n`;
const replies = Buffer.from(value.repeat(RECEIVE_BYTES / frame + 1));
/** By how many. */
const views = new Map<number, Buffer>();
const receive = Buffer.alloc(RECEIVE_BYTES);
const THREE = 0x33;

function view(count: number): Buffer {
  const known = views.get(count);
  if (known !== undefined) return known;
  const made = replies.subarray(0, count * value.length);
  views.set(count, made);
  return made;
}

const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
  let cut = 0;
  const writer = createSocketWriter(socket, { onWritten: () => {} });
  socket.on('error', () => {});
  const onReceived = (length: number, chunk: Buffer): void => {
    // `CONFIG GET` is asked for first, twice.
    if (chunk[1] === THREE) {
      const asked = chunk.toString('latin1', 0, length).split('CONFIG').length - 1;
      writer.write(Buffer.from('-ERR none here\r\n'.repeat(asked)));
      return;
    }
    const count = Math.floor((cut + length) / frame);
    cut += length - count * frame;
    if (count > 0) writer.write(view(count));
  };
  readInto(socket, { receiveBuffer: receive, onReceived });
  socket.resume();
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});
