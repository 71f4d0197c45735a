/** Chunks that go back to their pool twice, or while the kernel still reads from them, send one client another's bytes. */
import { describe, expect, it } from 'vitest';
import { type Chunk, Chunks } from '../../../src/proxy/io/chunk.js';
import { ChunkPool } from '../../../src/proxy/io/chunk-pool.js';
import { Outlet } from '../../../src/proxy/io/outlet.js';
import type { SocketWriter } from '../../../src/proxy/io/socket-writer.js';
import { Turn, type TurnTask } from '../../../src/proxy/io/turn.js';
import { Random } from '../../fuzz/random.js';

const SIZES = { first: 64, usual: 512, large: 4096 };
const OUTLETS = 6;
const STEPS = 10_000;
/** What is passed is in the middle of what was read: a buffer that is no chunk. */
const BEHIND = Buffer.alloc(SIZES.large);

/** Spoils what is given back, as whoever takes it next would, and knows who has what. */
class WatchedPool extends ChunkPool {
  readonly taken = new Set<Buffer>();

  override take(): Buffer {
    const chunk = super.take();
    this.taken.add(chunk);
    return chunk;
  }

  override give(chunk: Buffer): void {
    expect(this.taken.delete(chunk), 'a chunk is given back that nobody has').toBe(true);
    chunk.fill(0xff);
    super.give(chunk);
  }
}

/** The same of an outlet's own chunks. */
class WatchedChunks extends Chunks {
  readonly taken = new Set<Chunk>();

  override take(): Chunk {
    const chunk = super.take();
    this.taken.add(chunk);
    return chunk;
  }

  override give(chunk: Chunk): void {
    expect(this.taken.delete(chunk), 'a chunk is given back that nobody has').toBe(true);
    chunk.bytes.fill(0xff);
    super.give(chunk);
  }
}

function watchedPools() {
  return {
    first: new WatchedChunks(SIZES.first, 4),
    usual: new WatchedChunks(SIZES.usual, 4),
    large: new WatchedPool(SIZES.large, 4),
  };
}

/** A turn that ends when it is told to, crowded or not. */
class ManualTurn extends Turn {
  #tasks: TurnTask[] = [];
  #isCrowded = false;

  override get isCrowded(): boolean {
    return this.#isCrowded;
  }

  override schedule(task: TurnTask): void {
    this.#tasks.push(task);
  }

  end(isCrowded = false): void {
    this.#isCrowded = isCrowded;
    for (const task of this.#tasks.splice(0)) task.endOfTurn();
  }
}

/** A socket that takes a write at once or later, and reads its bytes only then. */
class SlowWriter implements SocketWriter {
  readonly #random: Random;
  #waiting: Uint8Array | null = null;
  readonly got: Buffer[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  write(buffer: Uint8Array): boolean {
    expect(this.#waiting, 'two writes at once').toBe(null);
    if (this.#random.chance(30)) {
      this.#waiting = buffer;
      return false;
    }
    this.got.push(Buffer.from(buffer));
    return true;
  }

  isRefused(): boolean {
    return false;
  }

  /** @returns whether there was a write to take */
  take(): boolean {
    if (this.#waiting === null) return false;
    this.got.push(Buffer.from(this.#waiting));
    this.#waiting = null;
    return true;
  }
}

it.each([1, 2, 3])('sends each socket its own bytes, in order, from chunks of every size (seed %i)', (seed) => {
  const random = new Random(seed);
  const turn = new ManualTurn();
  const pools = watchedPools();
  const sides = Array.from({ length: OUTLETS }, () => {
    const writer = new SlowWriter(random);
    const outlet = new Outlet(turn, pools, { awaitsMore: () => random.chance(50), onDrained: () => {} });
    outlet.attach(writer);
    return { writer, outlet, sent: [] as Buffer[] };
  });
  for (let step = 0; step < STEPS; step++) {
    const { writer, outlet, sent } = random.pick(sides);
    if (random.chance(10)) turn.end(random.chance(50));
    else if (random.chance(15)) {
      if (writer.take()) outlet.onWritten();
    } else {
      const bytes = random.bytes(1 + random.below(random.pick([40, 40, 40, 600, 6000])));
      sent.push(bytes);
      const way = random.below(3);
      if (way === 0) outlet.appendOwned(Buffer.from(bytes));
      else if (way === 1) outlet.pass(Buffer.concat([bytes, BEHIND]), 0, bytes.length);
      else outlet.append(bytes, 0, bytes.length);
    }
  }
  turn.end();
  for (const { writer, outlet, sent } of sides) {
    while (writer.take()) outlet.onWritten();
    expect(outlet.pending).toBe(0);
    expect(Buffer.concat(writer.got).equals(Buffer.concat(sent))).toBe(true);
  }
  for (const pool of Object.values(pools)) expect(pool.taken.size).toBe(0);
});

it('gives back what it has when it is closed, whatever size it is of', () => {
  const turn = new ManualTurn();
  const pools = watchedPools();
  for (const length of [1, SIZES.first, SIZES.first + 1, SIZES.usual]) {
    const outlet = new Outlet(turn, pools, { awaitsMore: () => false, onDrained: () => {} });
    outlet.append(Buffer.alloc(length), 0, length);
    outlet.close();
    outlet.append(Buffer.alloc(length), 0, length);
    expect(outlet.pending).toBe(0);
  }
  for (const pool of Object.values(pools)) expect(pool.taken.size).toBe(0);
});

it('takes a usual chunk only for what does not fit into a first one', () => {
  const pools = watchedPools();
  const outlet = new Outlet(new ManualTurn(), pools, { awaitsMore: () => false, onDrained: () => {} });
  outlet.append(Buffer.alloc(SIZES.first), 0, SIZES.first);
  expect([pools.first.taken.size, pools.usual.taken.size]).toEqual([1, 0]);
  outlet.append(Buffer.alloc(1), 0, 1);
  expect([pools.first.taken.size, pools.usual.taken.size]).toEqual([0, 1]);
});

describe('in a crowded turn', () => {
  /** @returns an outlet that has a byte to write, and what its socket got */
  function outletOf(turn: Turn, awaitsMore: () => boolean) {
    const got: string[] = [];
    const drained: number[] = [];
    const outlet = new Outlet(turn, watchedPools(), { awaitsMore, onDrained: () => drained.push(got.length) });
    outlet.attach({
      write: (buffer) => {
        got.push(Buffer.from(buffer).toString());
        return true;
      },
      isRefused: () => false,
    });
    const append = (text: string) => outlet.append(Buffer.from(text), 0, text.length);
    append('a');
    return { outlet, append, got, drained };
  }

  it('what more is awaited for goes out with it, one turn later', () => {
    const turn = new ManualTurn();
    const { append, got } = outletOf(turn, () => true);
    turn.end(true);
    expect(got).toEqual([]);
    append('b');
    turn.end(true);
    expect(got).toEqual(['ab']);
    append('c');
    turn.end(true);
    append('d');
    turn.end(true);
    expect(got).toEqual(['ab', 'cd']);
  });

  it('nothing waits for more than one turn, whatever is awaited', () => {
    const turn = new ManualTurn();
    const { got } = outletOf(turn, () => true);
    turn.end(true);
    turn.end(true);
    expect(got).toEqual(['a']);
  });

  it('whoever waits until it is empty is told when it is', () => {
    const turn = new ManualTurn();
    const { outlet, drained } = outletOf(turn, () => true);
    outlet.wantsDrain = true;
    turn.end(true);
    expect(drained).toEqual([]);
    turn.end(true);
    expect(drained).toEqual([1]);
  });

  it('nothing waits that is complete, and nothing in a turn that is not crowded', () => {
    for (const [isCrowded, awaits] of [
      [true, false],
      [false, true],
    ] as const) {
      const turn = new ManualTurn();
      const { got } = outletOf(turn, () => awaits);
      turn.end(isCrowded);
      expect(got).toEqual(['a']);
    }
  });

  it('what is full is written at once', () => {
    const turn = new ManualTurn();
    const { append, got } = outletOf(turn, () => true);
    append('b'.repeat(SIZES.usual));
    turn.end(true);
    expect(got.join('')).toHaveLength(SIZES.usual + 1);
  });

  it('an outlet that is closed meanwhile writes nothing', () => {
    const turn = new ManualTurn();
    const { outlet, got } = outletOf(turn, () => true);
    turn.end(true);
    outlet.close();
    turn.end(true);
    expect(got).toEqual([]);
  });
});
