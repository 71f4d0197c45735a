import net, { type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  findHandleWrites,
  type HandleWrites,
  type PendingWrite,
  type WriteHandle,
} from '../../../src/proxy/io/handle-writes.js';

const PIECE = Buffer.alloc(1_000_003, 'piece');

let server: net.Server;
let peer: Socket;
let socket: Socket;

beforeEach(async () => {
  server = net.createServer({ pauseOnConnect: true });
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  peer = await accepted;
  socket.on('error', () => {});
  peer.on('error', () => {});
});

afterEach(() => {
  vi.restoreAllMocks();
  socket.destroy();
  peer.destroy();
  server.close();
});

function found(): HandleWrites {
  const writes = findHandleWrites();
  if (writes === null) throw new Error(`not found on Node.js ${process.version}`);
  return writes;
}

function handle(): WriteHandle {
  return Reflect.get(socket, '_handle');
}

/** Writes pieces until the kernel takes no more. @returns how many, with the one that goes on */
function fill(writes: HandleWrites): { pieces: number; pending: PendingWrite } {
  for (let pieces = 1; pieces < 1000; pieces++) {
    const outcome = writes.write(handle(), PIECE);
    if (typeof outcome !== 'number') return { pieces, pending: outcome };
    expect(outcome).toBe(0);
  }
  throw new Error('no write goes on');
}

it.each([1, 2, 3])('tells a write that goes on from those that are through (time %i)', async () => {
  const writes = found();
  const { pieces, pending } = fill(writes);
  const completed = new Promise<number>((resolve) => {
    pending.buffer = PIECE;
    pending.oncomplete = resolve;
  });
  let received = 0;
  const all = new Promise<void>((resolve) => {
    peer.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received === pieces * PIECE.length) resolve();
    });
    peer.resume();
  });
  expect(await completed).toBe(0);
  await all;
  expect(writes.write(handle(), Buffer.from('more'))).toBe(0);
});

it('writes that go on at several sockets are different ones', async () => {
  const writes = found();
  const first = fill(writes).pending;
  first.buffer = PIECE;
  const ended = new Promise<number>((resolve) => {
    first.oncomplete = resolve;
  });
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const other = net.connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  const reader = await accepted;
  const otherHandle = Reflect.get(other, '_handle') as WriteHandle;
  let second: number | PendingWrite = 0;
  while (second === 0) second = writes.write(otherHandle, PIECE);
  expect(second).not.toBe(first);
  if (typeof second === 'number') throw new Error(`failed: ${second}`);
  second.buffer = PIECE;
  const through = new Promise<number>((resolve) => {
    (second as PendingWrite).oncomplete = resolve;
  });
  // One ends before it is through, the other gets through.
  socket.destroy();
  reader.resume();
  expect(await ended).toBeLessThan(0);
  expect(await through).toBe(0);
  other.destroy();
  reader.destroy();
});

it('tells of a write that fails by a negative number', async () => {
  const writes = found();
  // Nobody reads at this end, so that only writes notice.
  const ended = new Promise((resolve) => socket.once('end', resolve));
  socket.resume();
  socket.allowHalfOpen = true;
  peer.end();
  await ended;
  peer.destroy();
  await vi.waitFor(() => expect(writes.write(handle(), Buffer.from('x'))).toBeLessThan(0));
});

it.each([
  [
    'throws',
    () => {
      throw new Error('changed');
    },
  ],
  ['is silent', () => {}],
])('there is no way where Node.js %s when it is watched writing', (_what, instead) => {
  vi.spyOn(net.Socket.prototype, '_write').mockImplementation(instead);
  expect(findHandleWrites()).toBeNull();
});

it('warns of nothing, not even of what is to be deprecated', async () => {
  const warned = vi.spyOn(process, 'emitWarning');
  found();
  expect(warned).not.toHaveBeenCalled();
});
