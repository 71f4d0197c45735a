import net from 'node:net';
import { ReplyFramer } from '../../src/resp/reply-framer.js';

/** A server that has not answered and closed by then hangs. */
const HANG_MS = 60_000;

/**
 * Sends the pieces, ends the sending side, and collects all that comes until the server closes.
 * @throws Error when the server hangs
 */
export function converse(port: number, pieces: readonly Buffer[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no answer within ${HANG_MS} ms to ${Buffer.concat([...pieces]).toString('latin1')}`));
    }, HANG_MS);
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    // A server that closes with unread bytes resets the connection: what it said before counts.
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(received));
    });
    for (const piece of pieces) socket.write(piece);
    socket.end();
  });
}

/** The replies in what a server said. */
export function splitReplies(bytes: Buffer): string[] {
  const framer = new ReplyFramer();
  const replies: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = framer.advance(bytes, at, bytes.length);
    if (end < 0 || !framer.complete) {
      replies.push(`not a reply: ${bytes.subarray(at).toString('latin1')}`);
      return replies;
    }
    replies.push(bytes.toString('latin1', at, end));
    at = end;
  }
  return replies;
}

const SORT_BY = Buffer.from('SORT\r\n$4\r\nlist\r\n$2\r\nBY');

function inOrder(reply: string): string {
  return reply.split('\r\n').sort().join();
}

/** Errors are of one kind when their code is the same, and protocol errors when they name the same fault. */
export function sameReply(a: string | undefined, b: string | undefined, stream: Buffer): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a === b) return true;
  // SORT BY a constant leaves a set in its own order, which each process of Redis has by a seed of its own.
  if (a.startsWith('*') && stream.includes(SORT_BY) && inOrder(a) === inOrder(b)) return true;
  // The version and the client's number differ in HELLO's reply.
  if (a.includes('server\r\n$5\r\nredis') && b.includes('server\r\n$5\r\nredis'))
    return a.slice(0, 4) === b.slice(0, 4);
  if (!a.startsWith('-') || !b.startsWith('-')) return false;
  const kind = (error: string): string =>
    error.includes('Protocol error') ? error.trim() : (error.split(' ')[0] ?? '');
  return kind(a) === kind(b);
}
