/** Chunks that go back to their pool twice, or while the kernel still reads from them, send one client another's bytes. */
import { describe, expect, it } from 'vitest';
import { type Chunk, Chunks } from '../../../src/proxy/io/chunk.js';
import { ChunkPool } from '../../../src/proxy/io/chunk-pool.js';
import { Outlet } from '../../../src/proxy/io/outlet.js';
import type { SocketWriter } from '../../../src/proxy/io/socket-writer.js';
import type { Turn } from '../../../src/proxy/io/turn.js';
import { Random } from '../../fuzz/random.js';
import { ManualTurn } from '../../support/manual-turn.js';
import { writerTo } from '../../support/socket-writer.js';

const SIZES = { first: 64, usual: 512, large: 4096, plenty: 256 };
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
    few: 0,
    plenty: SIZES.plenty,
    first: new WatchedChunks(SIZES.first, 4),
    usual: new WatchedChunks(SIZES.usual, 4),
    large: new WatchedPool(SIZES.large, 4),
  };
}

function expectNothingTaken({ first, usual, large }: ReturnType<typeof watchedPools>): void {
  expect([first.taken.size, usual.taken.size, large.taken.size]).toEqual([0, 0, 0]);
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

  writeChunk(chunk: Chunk, length: number): boolean {
    return this.write(chunk.beginning(length));
  }

  hurry(): void {}

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
    const outlet = new Outlet(turn, pools, { onDrained: () => {} });
    outlet.attach(writer);
    return { writer, outlet, sent: [] as Buffer[] };
  });
  for (let step = 0; step < STEPS; step++) {
    const { writer, outlet, sent } = random.pick(sides);
    if (random.chance(10)) turn.end(random.chance(50));
    else if (random.chance(11)) outlet.expectMore(random.chance(50));
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
    while (writer.take()) {
      outlet.onWritten();
      turn.end();
    }
    expect(outlet.pending).toBe(0);
    expect(Buffer.concat(writer.got).equals(Buffer.concat(sent))).toBe(true);
  }
  expectNothingTaken(pools);
});

it('gives back what it has when it is closed, whatever size it is of', () => {
  const turn = new ManualTurn();
  const pools = watchedPools();
  for (const length of [1, SIZES.first, SIZES.first + 1, SIZES.usual]) {
    const outlet = new Outlet(turn, pools, { onDrained: () => {} });
    outlet.append(Buffer.alloc(length), 0, length);
    outlet.close();
    outlet.append(Buffer.alloc(length), 0, length);
    expect(outlet.pending).toBe(0);
  }
  expectNothingTaken(pools);
});

it('frees nothing of what the kernel still reads from when it is closed, though more of it waits', () => {
  const outlet = new Outlet(new ManualTurn(), watchedPools(), { onDrained: () => {} });
  const read: Uint8Array[] = [];
  const writer = writerTo((bytes) => {
    read.push(bytes);
    return false;
  });
  outlet.attach(writer);
  outlet.append(Buffer.alloc(3_000_000), 0, 3_000_000);
  outlet.expectMore(false);
  outlet.close();
  expect(read.map(({ length }) => length)).toEqual([1_048_576]);
});

it('takes a usual chunk only for what does not fit into a first one', () => {
  const pools = watchedPools();
  const outlet = new Outlet(new ManualTurn(), pools, { onDrained: () => {} });
  outlet.append(Buffer.alloc(SIZES.first), 0, SIZES.first);
  expect([pools.first.taken.size, pools.usual.taken.size]).toEqual([1, 0]);
  outlet.append(Buffer.alloc(1), 0, 1);
  expect([pools.first.taken.size, pools.usual.taken.size]).toEqual([0, 1]);
});

/** @param few as of the outlet's pools @returns an outlet, and what its socket got */
function outletOf(turn: Turn, few = 0) {
  const got: string[] = [];
  const drained: number[] = [];
  const outlet = new Outlet(turn, { ...watchedPools(), few }, { onDrained: () => drained.push(got.length) });
  const writer = writerTo((bytes) => {
    got.push(Buffer.from(bytes).toString());
    return true;
  });
  outlet.attach(writer);
  const append = (text: string) => outlet.append(Buffer.from(text), 0, text.length);
  return { outlet, append, got, drained };
}

describe('before the turn ends', () => {
  it('what nothing is expected behind is written, and what follows all the same at its end', () => {
    const turn = new ManualTurn();
    const { outlet, append, got } = outletOf(turn);
    append('a');
    append('b');
    outlet.expectMore(false);
    expect(got).toEqual(['ab']);
    append('c');
    expect(got).toEqual(['ab']);
    turn.end(true);
    expect(got).toEqual(['ab', 'c']);
  });

  it('what is given away is written with it', () => {
    const { outlet, append, got } = outletOf(new ManualTurn());
    append('a');
    outlet.appendOwned(Buffer.from('b'.repeat(SIZES.usual)));
    outlet.expectMore(false);
    expect(got.join('')).toBe(`a${'b'.repeat(SIZES.usual)}`);
  });

  it('a piece that is too large for a chunk goes out together with the little in front of it', () => {
    const { outlet, append, got } = outletOf(new ManualTurn());
    append('a');
    append('b'.repeat(SIZES.usual + 1));
    append('c');
    outlet.expectMore(false);
    expect(got).toEqual([`a${'b'.repeat(SIZES.usual + 1)}`, 'c']);
  });

  it('plenty is written, but no less', () => {
    const { append, got } = outletOf(new ManualTurn());
    append('a'.repeat(SIZES.plenty - 1));
    append('b'.repeat(9));
    expect(got).toEqual([]);
    append('c');
    expect(got.join('')).toBe(`${'a'.repeat(SIZES.plenty - 1)}${'b'.repeat(9)}`);
  });

  it('where the kernel takes nothing, a whole chunk is filled before another one is taken', () => {
    const pools = watchedPools();
    const outlet = new Outlet(new ManualTurn(), pools, { onDrained: () => {} });
    outlet.attach(writerTo(() => false));
    const append = (length: number) => outlet.append(Buffer.alloc(length), 0, length);
    append(1);
    outlet.expectMore(false);
    append(SIZES.plenty);
    for (let used = SIZES.plenty; used < SIZES.usual; used += SIZES.first) append(SIZES.first);
    expect([pools.first.taken.size, pools.usual.taken.size]).toEqual([1, 1]);
    append(1);
    expect([pools.first.taken.size, pools.usual.taken.size]).toEqual([1, 2]);
  });
});

describe('in a crowded turn', () => {
  it('what more is awaited for goes out with it, one turn later', () => {
    const turn = new ManualTurn();
    const { outlet, append, got } = outletOf(turn);
    append('a');
    outlet.expectMore(true);
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
    const { outlet, append, got } = outletOf(turn);
    append('a');
    outlet.expectMore(true);
    turn.end(true);
    turn.end(true);
    expect(got).toEqual(['a']);
  });

  it('whoever waits until it is empty is told when it is', () => {
    const turn = new ManualTurn();
    const { outlet, append, drained } = outletOf(turn);
    append('a');
    outlet.expectMore(true);
    outlet.wantsDrain = true;
    turn.end(true);
    expect(drained).toEqual([]);
    turn.end(true);
    expect(drained).toEqual([1]);
  });

  it('few bytes wait, where a write of so few is not worth it', () => {
    const turn = new ManualTurn();
    const { append, got } = outletOf(turn, 3);
    append('ab');
    turn.end(true);
    expect(got).toEqual([]);
    turn.end(true);
    expect(got).toEqual(['ab']);
    append('abc');
    turn.end(true);
    expect(got).toEqual(['ab', 'abc']);
  });

  it('plenty does not wait, whatever is expected', () => {
    const turn = new ManualTurn();
    const { outlet, append, got } = outletOf(turn);
    append('a'.repeat(SIZES.plenty));
    outlet.expectMore(true);
    turn.end(true);
    expect(got).toEqual(['a'.repeat(SIZES.plenty)]);
  });

  it('an outlet that is closed meanwhile writes nothing', () => {
    const turn = new ManualTurn();
    const { outlet, append, got } = outletOf(turn);
    append('a');
    outlet.expectMore(true);
    turn.end(true);
    outlet.close();
    turn.end(true);
    expect(got).toEqual([]);
  });
});

it('in a turn that is not crowded nothing waits for more', () => {
  const turn = new ManualTurn();
  const { outlet, append, got } = outletOf(turn, SIZES.plenty);
  append('a');
  outlet.expectMore(true);
  turn.end();
  expect(got).toEqual(['a']);
});

describe('where a write waits for those of other sockets', () => {
  /** An outlet whose chunks are written when somebody hurries. */
  function waitingOutlet() {
    const got: string[] = [];
    const turn = new ManualTurn();
    const outlet = new Outlet(turn, watchedPools(), { onDrained: () => {} });
    let waiting: string | null = null;
    const take = (bytes: Uint8Array) => {
      got.push(Buffer.from(bytes).toString());
      return true;
    };
    outlet.attach({
      ...writerTo(take),
      writeChunk: (chunk, length) => {
        expect(waiting, 'two writes at once').toBe(null);
        waiting = chunk.bytes.toString('utf8', 0, length);
        return false;
      },
      hurry: () => {
        if (waiting === null) return;
        got.push(waiting);
        waiting = null;
        outlet.onWritten();
      },
    });
    return { outlet, turn, got, append: (text: string) => outlet.append(Buffer.from(text), 0, text.length) };
  }

  it('what is appended goes behind it', () => {
    const { turn, got, append, outlet } = waitingOutlet();
    append('a');
    turn.end();
    append('b');
    turn.end();
    expect([got, outlet.pending]).toEqual([[], 2]);
    outlet.flushNow();
    expect(got).toEqual(['a']);
    turn.end();
    outlet.flushNow();
    expect([got, outlet.pending, outlet.written]).toEqual([['a', 'b'], 0, 2]);
  });

  it('what is passed on hurries it, and need not be copied', () => {
    const { got, append, outlet } = waitingOutlet();
    append('a');
    expect(outlet.pass(Buffer.from('passed'), 0, 6)).toBe(true);
    expect([got, outlet.pending]).toEqual([['a', 'passed'], 0]);
  });

  it('it is written before the outlet is closed', () => {
    const { turn, got, append, outlet } = waitingOutlet();
    append('a');
    turn.end();
    append('never');
    outlet.close();
    expect(got).toEqual(['a']);
  });

  it('it is written when all is to be written at once', () => {
    const { got, append, outlet } = waitingOutlet();
    append('a');
    expect(outlet.flushNow()).toBe(false);
    expect(got).toEqual(['a']);
  });
});
