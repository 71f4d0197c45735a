import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type BatchWriter, BatchWrites } from '../../../../src/proxy/io/batch/batch-writes.js';
import { KernelBatch, placeOf, TRY_AGAIN } from '../../../../src/proxy/io/batch/kernel-batch.js';
import { Chunk } from '../../../../src/proxy/io/chunk.js';
import { descriptors, hasBatches, openDescriptors, theContext, theSystem } from '../../../support/batch-sockets.js';

const EPIPE = -constants.errno.EPIPE;

/** Somebody who writes to one end, and what came of it. */
class Writer implements BatchWriter {
  readonly fd: number;
  readonly peer: number;
  readonly outcomes: number[] = [];
  isOpen = true;

  constructor([fd, peer]: [number, number]) {
    this.fd = fd;
    this.peer = peer;
  }

  onOutcome(_chunk: Chunk, _length: number, outcome: number): void {
    this.outcomes.push(outcome);
  }

  /** What has come to the other end; null: nothing. */
  got(): string | null {
    const bytes = Buffer.alloc(1_000_000);
    const batch = new KernelBatch(theContext(), 1);
    batch.read(this.peer, placeOf(theSystem(), bytes), bytes.length);
    batch.run();
    const length = batch.results[0] as number;
    return length === TRY_AGAIN ? null : bytes.toString('utf8', 0, length);
  }
}

function chunkOf(text: string): Chunk {
  const chunk = new Chunk(65_536);
  chunk.bytes.write(text);
  return chunk;
}

function newWrites() {
  const writes = new BatchWrites(theContext());
  const add = (writer: Writer, text: string) => writes.add(writer, chunkOf(text), text.length);
  return { add, flush: () => writes.flush() };
}

const writer = () => new Writer(openDescriptors());

describe.skipIf(!hasBatches)('writes that wait for each other', () => {
  it('are made when they are told to, each to its socket, and each is told once', () => {
    const { add, flush } = newWrites();
    const [one, other] = [writer(), writer()];
    add(one, 'a');
    add(other, 'bb');
    expect([one.got(), other.got(), one.outcomes, other.outcomes]).toEqual([null, null, [], []]);
    flush();
    flush();
    expect([one.got(), other.got(), one.outcomes, other.outcomes]).toEqual(['a', 'bb', [1], [2]]);
    add(one, 'ccc');
    flush();
    expect([one.got(), other.got(), one.outcomes]).toEqual(['ccc', null, [1, 3]]);
  });

  it('do not wait where they are 32', () => {
    const { add, flush } = newWrites();
    const all = Array.from({ length: 40 }, writer);
    for (const [i, each] of all.entries()) add(each, `${i}`);
    const got = all.map((each) => each.got());
    expect(got.slice(0, 32)).toEqual(all.slice(0, 32).map((_, i) => `${i}`));
    expect(got.slice(32)).toEqual(new Array(8).fill(null));
    flush();
    expect(all.slice(32).map((each) => each.got())).toEqual(all.slice(32).map((_, i) => `${i + 32}`));
    expect(all.every(({ outcomes }) => outcomes.length === 1)).toBe(true);
  });

  it('are not made to a socket that was closed meanwhile, though another one has its number', () => {
    const { add, flush } = newWrites();
    const [first, closed, last] = [writer(), writer(), writer()];
    for (const [i, each] of [first, closed, last].entries()) add(each, `${i}`);
    closed.isOpen = false;
    flush();
    expect([first.got(), closed.got(), last.got()]).toEqual(['0', null, '2']);
    expect([first.outcomes, closed.outcomes, last.outcomes]).toEqual([[1], [], [1]]);
  });

  it('tell how much the kernel has taken where it does not take all, and that it took nothing', () => {
    const { add, flush } = newWrites();
    const full = writer();
    let sent = 0;
    for (let outcome = 10_000; outcome === 10_000; sent += outcome) {
      add(full, 'x'.repeat(10_000));
      flush();
      outcome = full.outcomes.at(-1) ?? -1;
    }
    const other = writer();
    add(full, 'y');
    add(other, 'z');
    flush();
    expect([full.outcomes.at(-1), other.outcomes, other.got()]).toEqual([0, [1], 'z']);
    expect(full.got()).toHaveLength(sent);
  });

  it('fail for themselves alone', () => {
    const { add, flush } = newWrites();
    const [left, leaving] = descriptors();
    const failing = new Writer([left, leaving]);
    theSystem().calls.close(leaving);
    const other = writer();
    add(failing, 'a');
    add(other, 'b');
    flush();
    expect([failing.outcomes, other.outcomes, other.got()]).toEqual([[EPIPE], [1], 'b']);
    theSystem().calls.close(left);
  });

  it('count as not taken behind one that the kernel cannot make at all', () => {
    const { add, flush } = newWrites();
    const [front, behind] = [writer(), writer()];
    const ends = descriptors();
    for (const fd of ends) theSystem().calls.close(fd);
    const broken = new Writer(ends);
    for (const each of [front, broken, behind]) add(each, 'a');
    flush();
    expect([front.outcomes, broken.outcomes, behind.outcomes]).toEqual([[1], [0], [0]]);
  });
});
