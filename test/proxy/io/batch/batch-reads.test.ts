import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { Receiver } from '../../../../src/proxy/io/batch/batch-reads.js';
import { BatchContext } from '../../../../src/proxy/io/batch/kernel-batch.js';
import { Random } from '../../../fuzz/random.js';
import {
  batchReads,
  drivenReads,
  handleOf,
  hasBatches,
  type ReadSocket,
  readSocket,
  watchedSystem,
} from '../../../support/batch-sockets.js';
import { atEnd } from '../../../support/cleanup.js';

/** More than are read by one call. */
const MANY = 40;
const SLOT_BYTES = 16_384;

/** Sockets that a test reads itself: `read` once, and what has come is read in one batch, in the order in which it came. */
function together() {
  const reads = batchReads();
  return { read: () => reads.read(), socket: (onText?: (text: string) => void) => readSocket(reads, onText) };
}

const of = (side: ReadSocket | null) => ({ fd: side?.fd, told: side?.told });

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function ended(socket: Socket): Promise<void> {
  const finished = once(socket, 'finish');
  socket.end();
  await finished;
}

describe.skipIf(!hasBatches)('what is read in one batch', () => {
  it.each([3, MANY])('comes to its own socket, of %i of them', (count) => {
    const { read, socket } = together();
    const all = Array.from({ length: count }, () => socket());
    const silent = socket();
    for (const [i, { peer }] of all.entries()) peer.write(`for ${i}`);
    read();
    expect(all.map(({ told }) => told)).toEqual(all.map((_, i) => [`for ${i}`]));
    expect(silent.told).toEqual([]);
  });

  it.each([0, MANY])('leaves a socket alone that another one has destroyed (with %i between them)', (between) => {
    const { read, socket } = together();
    const first = socket(() => last.socket.destroy());
    const others = Array.from({ length: between }, () => socket());
    const last = socket();
    for (const { peer } of [first, ...others, last]) peer.write('x');
    read();
    read();
    expect(last.told).toEqual([]);
    expect(others.every(({ told }) => told.join() === 'x')).toBe(true);
  });

  it.each([0, MANY])(
    'does not come to a socket that has the number of a closed one (with %i between them)',
    (between) => {
      const { read, socket } = together();
      let next: ReadSocket | null = null;
      const first = socket(() => {
        last.socket.destroy();
        next ??= socket();
        next.peer.write('for the next');
      });
      const others = Array.from({ length: between }, () => socket());
      const last = socket();
      for (const { peer } of [first, ...others, last]) peer.write('x');
      read();
      read();
      expect(of(next)).toEqual({ fd: last.fd, told: ['for the next'] });
      expect(last.told).toEqual([]);
      expect(others.every(({ told }) => told.join() === 'x')).toBe(true);
    },
  );

  it('goes on to others when one receiver throws, and what it throws is told', () => {
    const { read, socket } = together();
    const thrown: (() => void)[] = [];
    const nextTick = vi.spyOn(process, 'nextTick').mockImplementation((callback) => {
      thrown.push(callback as () => void);
    });
    const throwing = socket(() => {
      throw new Error('of a receiver');
    });
    const other = socket();
    throwing.peer.write('x');
    other.peer.write('y');
    thrown.length = 0;
    read();
    nextTick.mockRestore();
    expect(other.told).toEqual(['y']);
    expect(thrown).toHaveLength(1);
    expect(thrown[0]).toThrow('of a receiver');
  });
});

describe.skipIf(!hasBatches)('a socket that another one has paused', () => {
  /** Its first piece has been read in one batch with what has paused it. */
  async function paused() {
    const { read, socket } = together();
    const pausing = socket(() => held.socket.pause());
    const held = socket();
    // The stream goes on once more by itself when it was told to.
    await nextTurn();
    pausing.peer.write('pause');
    held.peer.write('first');
    read();
    expect(held.told).toEqual([]);
    return { read, held };
  }

  it('has what was read by then when it goes on, without any further read', async () => {
    const { held } = await paused();
    held.socket.resume();
    expect(held.told).toEqual([]);
    await nextTurn();
    expect(held.told).toEqual(['first']);
  });

  it('has it in front of what came later', async () => {
    const { read, held } = await paused();
    held.peer.write('second');
    read();
    expect(held.told).toEqual([]);
    held.socket.resume();
    read();
    expect(held.told).toEqual(['first', 'second']);
  });

  it('has it in front of the end', async () => {
    const { read, held } = await paused();
    await ended(held.peer);
    held.socket.resume();
    read();
    await once(held.socket, 'end');
    expect(held.told).toEqual(['first', 'end']);
  });

  it('has it once, though it goes on and stops several times', async () => {
    const { read, held } = await paused();
    const handle = handleOf(held.socket);
    for (let i = 0; i < 3; i++) {
      handle.readStart();
      handle.readStop();
    }
    await nextTurn();
    expect(held.told).toEqual([]);
    handle.readStart();
    held.peer.write('second');
    await nextTurn();
    read();
    expect(held.told).toEqual(['first', 'second']);
  });

  it('has nothing of it once it is destroyed', async () => {
    const { held } = await paused();
    held.socket.resume();
    held.socket.destroy();
    await nextTurn();
    expect(held.told).toEqual([]);
  });

  it('holds what comes behind it when that makes it stop again', async () => {
    const { read, socket } = together();
    const pausing = socket(() => held.socket.pause());
    const held = socket(() => held.socket.pause());
    pausing.peer.write('pause');
    held.peer.write('first');
    read();
    held.socket.resume();
    held.peer.write('second');
    read();
    expect(held.told).toEqual(['first']);
    held.socket.resume();
    await nextTurn();
    expect(held.told).toEqual(['first', 'second']);
  });
});

describe.skipIf(!hasBatches)('a socket that is read with others', () => {
  it('tells that the other side has ended, and is open to write to', async () => {
    const { read, socket } = together();
    const { socket: own, peer, told } = socket();
    peer.write('last');
    await ended(peer);
    read();
    read();
    await once(own, 'end');
    expect(told).toEqual(['last', 'end']);
    own.write('still');
    const [chunk] = await once(peer, 'data');
    expect(String(chunk)).toBe('still');
  });

  // The system tells of it once: Node.js, that read next, took it for the end.
  it.each([1, SLOT_BYTES])('tells that the other side has cut it off, behind %i bytes', async (length) => {
    const { read, socket } = together();
    const { socket: own, peer, told } = socket();
    peer.write('x'.repeat(length));
    read();
    // Of what it has not read it tells whoever has written that.
    own.write('unread');
    await closed(peer.destroy());
    read();
    await closed(own);
    expect(told.slice(1)).toEqual(['ECONNRESET']);
  });

  it('has more than a slot by itself from then on, until it has less again', () => {
    const { read, socket } = together();
    const { peer, told } = socket();
    const sent = new Random(1).bytes(60_000).toString('latin1');
    peer.write(sent, 'latin1');
    read();
    expect(told.map(({ length }) => length)).toEqual([SLOT_BYTES]);
    read();
    expect(told.map(({ length }) => length)).toEqual([SLOT_BYTES, 60_000 - SLOT_BYTES]);
    expect(told.join('') === sent).toBe(true);
    for (const text of ['a', 'b']) {
      peer.write(text);
      read();
    }
    expect(told.slice(2)).toEqual(['a', 'b']);
  });

  /** `large` is read by itself by now, and all three have something to read. */
  function readTogetherWithLarge(read: () => void, first: ReadSocket, large: ReadSocket, last: ReadSocket): void {
    large.peer.write('x'.repeat(SLOT_BYTES));
    read();
    // It is the first one in line no more.
    read();
    for (const { peer } of [first, large, last]) peer.write('x');
    read();
  }

  // The descriptor of one that was to be read in the same call had become another socket's by the time of that call.
  it('may be destroyed, and replaced, by one that is read by itself', () => {
    const { read, socket } = together();
    let next: ReadSocket | null = null;
    const large = socket((text) => {
      if (text.length === SLOT_BYTES) return;
      destroyed.socket.destroy();
      next = socket();
      next.peer.write('for the next');
    });
    const [destroyed, other] = [socket(), socket()];
    readTogetherWithLarge(read, destroyed, large, other);
    read();
    expect(of(next)).toEqual({ fd: destroyed.fd, told: ['for the next'] });
    expect(other.told).toEqual(['x']);
  });

  // What the kernel does not get to behind a closed socket looked like the end of those sockets.
  it('stays one of them when one that is read by itself destroys another one', () => {
    const { read, socket } = together();
    const large = socket((text) => {
      if (text.length < SLOT_BYTES) destroyed.socket.destroy();
    });
    const [destroyed, other] = [socket(), socket()];
    readTogetherWithLarge(read, destroyed, large, other);
    other.peer.write('y');
    read();
    expect(other.told.join('')).toBe('xy');
  });

  it.each([1, 2, 3])('loses nothing when sockets stop each other and go on all the time (seed %i)', async (seed) => {
    const random = new Random(seed);
    const reads = drivenReads();
    const flows = Array.from({ length: 20 }, () => {
      const sent = random.bytes(1 + random.below(500_000));
      let finish = (): void => {};
      const finished = new Promise<void>((resolve) => {
        finish = resolve;
      });
      let missing = sent.length;
      const side = readSocket(reads, (text) => {
        missing -= text.length;
        if (missing === 0) finish();
        const { socket } = random.pick(flows).side;
        socket.pause();
        if (random.chance(20)) socket.resume();
        else setImmediate(() => socket.resume());
      });
      return { side, sent, finished };
    });
    for (const { side, sent } of flows) side.peer.write(sent);
    await Promise.all(flows.map(({ finished }) => finished));
    for (const { side, sent } of flows) expect(side.told.join('') === sent.toString('latin1')).toBe(true);
  });

  it('is counted once in a stretch of time, however often it has something', () => {
    const reads = batchReads();
    const all = [readSocket(reads), readSocket(reads), readSocket(reads)];
    const send = (count: number): void => {
      for (const { peer } of all.slice(0, count)) peer.write('x');
      reads.read();
    };
    send(2);
    send(2);
    expect(reads.takeSeen()).toBe(2);
    expect(reads.takeSeen()).toBe(0);
    send(3);
    expect(reads.takeSeen()).toBe(3);
  });
});

/** Two ends of a connection by TCP. */
async function connection(): Promise<[Socket, Socket]> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  const [[peer]] = await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
  for (const end of [socket, peer]) end.on('error', () => {});
  atEnd(() => {
    socket.destroy();
    peer.destroy();
    server.close();
  });
  return [socket, peer];
}

describe.skipIf(!hasBatches)('the process', () => {
  const receiver: Receiver = { receiveBuffer: Buffer.alloc(1), onReceived: () => {} };

  async function adopted() {
    const { system, isAlive } = watchedSystem();
    const reads = batchReads(null, new BatchContext(system, 64));
    const [socket, peer] = await connection();
    const handle = handleOf(socket);
    reads.adopt(socket, handle, receiver);
    expect(isAlive()).toBe(false);
    handle.readStart();
    expect(isAlive()).toBe(true);
    return { reads, socket, peer, handle, isAlive };
  }

  it('is kept alive by a socket that reads, and by none that does not', async () => {
    const { handle, isAlive } = await adopted();
    handle.readStop();
    handle.readStop();
    expect(isAlive()).toBe(false);
    handle.readStart();
    handle.readStart();
    expect(isAlive()).toBe(true);
    handle.readStop();
    expect(isAlive()).toBe(false);
  });

  it.each(['destroy', 'resetAndDestroy'] as const)('is not kept alive by one after %s', async (end) => {
    const { socket, peer, isAlive } = await adopted();
    const gone = Promise.all([closed(socket), closed(peer.resume())]);
    socket[end]();
    expect(isAlive()).toBe(false);
    await gone;
  });

  it('is not kept alive by one that has ended', async () => {
    const { reads, socket, peer, isAlive } = await adopted();
    peer.end();
    const told = once(socket, 'end');
    while (isAlive()) {
      await nextTurn();
      reads.read();
    }
    await told;
  });
});
