import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { KernelBatch, NOT_DONE, type Place, placeOf, TRY_AGAIN } from '../../../../src/proxy/io/batch/kernel-batch.js';
import { descriptors, hasBatches, openDescriptors, theContext, theSystem } from '../../../support/batch-sockets.js';

/** Held as long as a batch reads or writes it. */
interface Memory {
  readonly bytes: Buffer;
  readonly place: Place;
}

function memory(content: string | number): Memory {
  const bytes = typeof content === 'number' ? Buffer.alloc(content) : Buffer.from(content);
  return { bytes, place: placeOf(theSystem(), bytes) };
}

function closedDescriptor(): number {
  const ends = descriptors();
  for (const fd of ends) theSystem().calls.close(fd);
  return ends[0];
}

/** A batch, and the results of its last run. */
function newBatch() {
  const batch = new KernelBatch(theContext(), 8);
  const run = (): number[] => {
    const { count } = batch;
    batch.run();
    expect(batch.count).toBe(0);
    return [...batch.results.subarray(0, count)];
  };
  const write = (fd: number, text: string): Memory => {
    const written = memory(text);
    batch.write(fd, written.place, text.length);
    return written;
  };
  const read = (fd: number, length = 100): Memory => {
    const got = memory(length);
    batch.read(fd, got.place, length);
    return got;
  };
  return { run, read, write };
}

describe.skipIf(!hasBatches)('a batch', () => {
  it('does reads and writes of several sockets at once, each with its own outcome', () => {
    const { run, read, write } = newBatch();
    const pairs = ['a', 'bb', 'ccc'].map((text) => ({ text, ends: openDescriptors() }));
    const written = pairs.map(({ text, ends }) => write(ends[0], text));
    const got = pairs.map(({ ends }) => read(ends[1])).reverse();
    expect(run()).toEqual([1, 2, 3, 1, 2, 3]);
    expect(written.map(({ bytes }) => bytes.toString())).toEqual(['a', 'bb', 'ccc']);
    const texts = got.reverse().map(({ bytes }, i) => bytes.toString('utf8', 0, i + 1));
    expect(texts).toEqual(['a', 'bb', 'ccc']);
  });

  it('reads no more than it is told to, and the rest the next time', () => {
    const { run, read, write } = newBatch();
    const [one, other] = openDescriptors();
    write(one, 'abcde');
    const first = read(other, 3);
    const second = read(other, 3);
    expect(run()).toEqual([5, 3, 2]);
    expect(`${first.bytes} ${second.bytes.subarray(0, 2)}`).toBe('abc de');
  });

  it('tells where there is nothing to read, nobody who writes, and nobody who reads', () => {
    const { run, read, write } = newBatch();
    const [silent] = openDescriptors();
    const [left, leaving] = descriptors();
    theSystem().calls.close(leaving);
    read(silent);
    read(left);
    write(left, 'a');
    expect(run()).toEqual([TRY_AGAIN, 0, -constants.errno.EPIPE]);
    theSystem().calls.close(left);
  });

  it('does what is in front of a socket that is closed, and leaves what is behind it', () => {
    const { run, read, write } = newBatch();
    const [one, other] = openDescriptors();
    const closed = closedDescriptor();
    write(one, 'front');
    read(closed);
    write(one, 'behind');
    expect(run()).toEqual([5, NOT_DONE, NOT_DONE]);
    const got = read(other);
    expect(run()).toEqual([5]);
    expect(got.bytes.toString('utf8', 0, 5)).toBe('front');
  });

  it('has nothing of the run before when the first one is not done', () => {
    const { run, write } = newBatch();
    const [one] = openDescriptors();
    write(one, 'a');
    write(one, 'a');
    expect(run()).toEqual([1, 1]);
    write(closedDescriptor(), 'a');
    write(one, 'a');
    expect(run()).toEqual([NOT_DONE, NOT_DONE]);
  });

  it('has its own results when those of all before have filled the ring of the kernel several times', () => {
    const { run, read, write } = newBatch();
    const [one, other] = openDescriptors();
    for (let i = 0; i < 1000; i++) {
      const length = 1 + (i % 50);
      write(one, 'x'.repeat(length));
      read(other);
      read(other);
      expect(run()).toEqual([length, length, TRY_AGAIN]);
    }
  });
});
