import { writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ReadySockets } from '../../../../src/proxy/io/batch/ready-sockets.js';
import { descriptors, hasBatches, openDescriptors, theSystem, watchedSystem } from '../../../support/batch-sockets.js';
import { atEnd } from '../../../support/cleanup.js';

/** The event loop has their memory until the process ends. */
const kept: ReadySockets[] = [];

function watch(onReady: () => void = () => {}, system = theSystem()) {
  const ready = new ReadySockets(system, 4, onReady);
  kept.push(ready);
  /** The numbers of those that have something. */
  const look = (): number[] => Array.from({ length: ready.look() }, (_, i) => ready.at(i));
  return { ready, look };
}

/** A pair, one end of which is watched until the test ends, or it leaves. */
function watchedPair(ready: ReadySockets, number: number) {
  const [fd, other] = openDescriptors();
  expect(ready.watch(fd, number)).toBe(true);
  let isWatched = true;
  const leave = (): void => {
    if (isWatched) ready.leave(fd);
    isWatched = false;
  };
  atEnd(leave);
  return { fd, send: () => writeSync(other, 'x'), leave };
}

describe.skipIf(!hasBatches)('sockets that are watched', () => {
  it('are told by their numbers when they have something to read, as long as they do', () => {
    const { ready, look } = watch();
    const [first, , third] = [7, 8, 9].map((number) => watchedPair(ready, number));
    expect(look()).toEqual([]);
    third?.send();
    first?.send();
    expect(look().sort()).toEqual([7, 9]);
    expect(look().sort()).toEqual([7, 9]);
  });

  it('are not told any more when they have left', () => {
    const { ready, look } = watch();
    const pair = watchedPair(ready, 1);
    pair.send();
    pair.leave();
    expect(look()).toEqual([]);
    expect(ready.watch(pair.fd, 2)).toBe(true);
    expect(look()).toEqual([2]);
    ready.leave(pair.fd);
  });

  it('wake the event loop', async () => {
    let wake = () => {};
    const awake = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const { ready } = watch(() => wake());
    const pair = watchedPair(ready, 1);
    setImmediate(pair.send);
    await awake;
  });

  it('keep the process alive, and nothing else does', () => {
    const { system, isAlive } = watchedSystem();
    const { ready } = watch(() => {}, system);
    expect(isAlive()).toBe(false);
    const [one, other] = openDescriptors();
    ready.watch(one, 1);
    ready.watch(other, 2);
    ready.leave(one);
    expect(isAlive()).toBe(true);
    ready.leave(other);
    expect(isAlive()).toBe(false);
  });

  it('are none that are closed', () => {
    const { system, isAlive } = watchedSystem();
    const { ready } = watch(() => {}, system);
    const ends = descriptors();
    for (const fd of ends) system.calls.close(fd);
    expect(ready.watch(ends[0], 1)).toBe(false);
    expect(isAlive()).toBe(false);
  });
});
