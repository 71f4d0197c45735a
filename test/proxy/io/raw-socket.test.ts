/** Sockets that are read and written together, as the proxy has them: by the event loop, with what Node.js does beside it. */
import { once } from 'node:events';
import net, { type AddressInfo, type OnReadOpts, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventLoop } from '../../../src/proxy/io/batch/event-loop.js';
import { Chunk } from '../../../src/proxy/io/chunk.js';
import { rawWriterFor, readInto, readTogether } from '../../../src/proxy/io/raw-socket.js';
import type { SocketWriter } from '../../../src/proxy/io/socket-writer.js';
import { descriptors, handleOf, hasBatches, socketOf } from '../../support/batch-sockets.js';
import { atEnd } from '../../support/cleanup.js';

const SHARED = Buffer.alloc(65_536);
const CHUNK_BYTES = 10_000;

/** A server's socket, and the one that is connected to it, by TCP. */
async function connection(onread?: OnReadOpts): Promise<[Socket, Socket]> {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const peer = net.connect({ port, host: '127.0.0.1', ...(onread && { onread }) }).on('error', () => {});
  const [[own]] = await Promise.all([accepted, once(peer, 'connect')]);
  atEnd(() => {
    own.destroy();
    peer.destroy();
    server.close();
  });
  return [own, peer];
}

/** Reads like a client's socket. @returns what came, all told when it is `length` bytes */
function read(socket: Socket, length: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onReceived = (count: number, chunk: Buffer): void => {
      text += chunk.toString('latin1', 0, count);
      if (text.length >= length) resolve(text);
    };
    readInto(socket, { receiveBuffer: SHARED, onReceived });
    socket.on('error', reject);
    socket.resume();
  });
}

const isAdopted = (socket: Socket): boolean => Object.hasOwn(handleOf(socket), 'readStart');

it('every socket has what it was sent, of many that share a buffer', async () => {
  const made = await Promise.all(Array.from({ length: 40 }, () => connection()));
  const sent = made.map((_, i) => `${i}:`.repeat(1 + i * i * 10));
  const got = made.map(([own], i) => read(own, sent[i]?.length ?? 0));
  expect(made.map(([own]) => isAdopted(own))).toEqual(made.map(() => hasBatches));
  for (const [i, [, peer]] of made.entries()) peer.write(sent[i] ?? '');
  expect((await Promise.all(got)).map((text, i) => text === sent[i])).toEqual(made.map(() => true));
});

it('a socket that reads already goes on with the others', async () => {
  let told: (text: string) => void = () => {};
  const onread = {
    buffer: Buffer.alloc(100),
    callback: (length: number, chunk: Uint8Array) => {
      told(Buffer.from(chunk.subarray(0, length)).toString());
      return true;
    },
  };
  const [other, socket] = await connection(onread);
  readTogether(socket, { receiveBuffer: onread.buffer, onReceived: onread.callback });
  expect(isAdopted(socket)).toBe(hasBatches);
  const got = new Promise<string>((resolve) => {
    told = resolve;
  });
  other.write('hello');
  expect(await got).toBe('hello');
});

it('the other side that ends is told as that, and still has its answer', async () => {
  const [own, peer] = await connection();
  const got = read(own, 4);
  const ended = once(own, 'end');
  peer.end('last');
  expect(await got).toBe('last');
  await ended;
  own.end('answer');
  const [answer] = await once(peer, 'data');
  expect(String(answer)).toBe('answer');
});

// The system tells of it once: who read next took it for the end of what a client, that waits for its answers, sends.
it('the other side that cuts the connection is told as that', async () => {
  const [own, peer] = await connection();
  const told: string[] = [];
  const got = read(own, 1);
  peer.write('x');
  await got;
  own.on('end', () => told.push('end'));
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => own.once('error', resolve));
  const closed = new Promise((resolve) => own.once('close', resolve));
  peer.resetAndDestroy();
  expect(await failed).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
  await closed;
  expect(told).toEqual([]);
});

describe.skipIf(!hasBatches)('a chunk', () => {
  /** A pair of sockets, one of which is written to by its handle. */
  function written() {
    const [own, other] = descriptors();
    return { ...writtenTo(socketOf(own), socketOf(other).pause()), fd: own };
  }

  function writtenTo(socket: Socket, peer: Socket) {
    let onWritten = (): void => {};
    let isWritten = false;
    const writer = rawWriterFor(socket, {
      onWritten: () => {
        isWritten = true;
        onWritten();
      },
    }) as SocketWriter;
    const chunk = new Chunk(CHUNK_BYTES);
    const write = (text: string): boolean => {
      isWritten = false;
      chunk.bytes.write(text);
      return writer.writeChunk(chunk, text.length);
    };
    const through = () => new Promise<void>((resolve) => (onWritten = resolve));
    return { socket, peer, writer, write, isWritten: () => isWritten, through };
  }

  it('waits for those of others until somebody hurries, and all of them are through then', () => {
    const [one, other] = [written(), written()];
    expect([one.write('a'), other.write('b')]).toEqual([false, false]);
    expect([one.isWritten(), other.isWritten()]).toEqual([false, false]);
    one.writer.hurry();
    expect([one.isWritten(), other.isWritten()]).toEqual([true, true]);
  });

  it('waits for no longer than the turn', async () => {
    const { write, through, peer } = written();
    const got = once(peer, 'data');
    const done = through();
    eventLoop.atEnd(() => write('a'));
    await done;
    peer.resume();
    expect(String(await got)).toBe('a');
  });

  it('does not wait where it is large, or the socket is closed', () => {
    const { socket, writer } = written();
    expect(writer.writeChunk(new Chunk(16_384), 16_384)).toBe(true);
    socket.destroy();
    expect(writer.writeChunk(new Chunk(16_384), 1)).toBe(true);
  });

  // By TCP: of a Unix socket's write the kernel takes all or nothing.
  it('that the kernel takes only a part of goes on from there, in order', async () => {
    const [own, other] = await connection();
    const { write, writer, isWritten, through, peer } = writtenTo(own, other.pause());
    const sent: string[] = [];
    do {
      // Every place of it looks different.
      const text = Array.from({ length: 1200 }, (_, i) => `${sent.length * 1200 + i}`.padStart(8, '-')).join('');
      sent.push(text);
      write(text);
      writer.hurry();
    } while (isWritten());
    const got: Buffer[] = [];
    const done = through();
    peer.on('data', (bytes: Buffer) => got.push(bytes)).resume();
    await done;
    const ended = once(peer, 'end');
    own.end();
    await ended;
    expect(Buffer.concat(got).toString() === sent.join('')).toBe(true);
  });

  it('is not written to whoever has the number of its socket, once that is destroyed', async () => {
    const { socket, fd, writer, write, isWritten } = written();
    write('for nobody else');
    socket.destroy();
    const [next, other] = descriptors();
    expect([next, other]).toContain(fd);
    const ends = [socketOf(next), socketOf(other)];
    const got = ends.map((end) => once(end, 'data'));
    writer.hurry();
    for (const end of ends) end.write('own');
    expect((await Promise.all(got)).map(String)).toEqual(['own', 'own']);
    expect(isWritten()).toBe(false);
  });

  it('that cannot be written destroys its socket, which tells why', async () => {
    const { socket, peer, writer, write, isWritten } = written();
    const closed = new Promise((resolve) => peer.once('close', resolve));
    peer.destroy();
    await closed;
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    write('a');
    writer.hurry();
    expect(socket.destroyed).toBe(true);
    expect(isWritten()).toBe(false);
    expect(await failed).toMatchObject({ code: 'EPIPE', syscall: 'write' });
  });
});
