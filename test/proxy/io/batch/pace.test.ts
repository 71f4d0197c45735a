import { describe, expect, it } from 'vitest';
import { Pace } from '../../../../src/proxy/io/batch/pace.js';

function paceOf(sockets: number) {
  const pace = new Pace(() => sockets);
  let now = 1000;
  /** Many turns of one length. @param load the part of the time that they take @returns the wait behind the last one */
  const turns = (load: number, { count = 300, heard = 1, bytes = 40 } = {}): number => {
    let wait = 0;
    for (let i = 0; i < count; i++) {
      now += 0.1;
      wait = pace.after(now - 0.1 * load, now, { sockets: heard, bytes });
    }
    return wait;
  };
  const idle = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { turns, idle };
}

describe('the next turn', () => {
  it('waits for nobody where few sockets are served, however much they do', () => {
    expect(paceOf(23).turns(1)).toBe(0);
    expect(paceOf(24).turns(1)).toBe(28);
  });

  it('waits for nobody while there is time left', () => {
    expect(paceOf(100).turns(0.25)).toBe(0);
    expect(paceOf(100).turns(0.02)).toBe(0);
  });

  it('waits the longer the more time turns take, and the more sockets there are', () => {
    expect(paceOf(100).turns(0.35)).toBeGreaterThan(50);
    expect(paceOf(100).turns(0.35)).toBeLessThan(70);
    expect(paceOf(25).turns(0.35)).toBeLessThan(20);
    expect(paceOf(100).turns(0.4)).toBeGreaterThan(80);
  });

  it('waits no longer than that, whatever the load', () => {
    expect(paceOf(10_000).turns(0.5)).toBe(120);
    expect(paceOf(10_000).turns(1)).toBe(120);
  });

  it('does not wait for so little that the call costs more', () => {
    expect(paceOf(100).turns(0.255)).toBe(0);
  });

  it('waits for nobody behind a turn in which half of all had something to say', () => {
    expect(paceOf(100).turns(1, { heard: 49 })).toBe(120);
    expect(paceOf(100).turns(1, { heard: 50 })).toBe(0);
  });

  // Each piece of a large value waited, and a GET of 100 KB is several.
  it('waits for nobody behind a turn that has passed large values on', () => {
    expect(paceOf(100).turns(1, { bytes: 65_535 })).toBe(120);
    expect(paceOf(100).turns(1, { bytes: 65_536 })).toBe(0);
  });

  it('waits for nobody when nothing was to be done for a while', () => {
    const { turns, idle } = paceOf(100);
    expect(turns(1)).toBe(120);
    idle(50);
    expect(turns(1, { count: 1 })).toBe(0);
  });

  it('counts the sockets of the stretch of time before, and not those of long ago', () => {
    let seen = 100;
    const pace = new Pace(() => seen);
    let now = 0;
    const busyFor = (milliseconds: number): number => {
      const endsAt = now + milliseconds;
      let wait = 0;
      for (; now < endsAt; now += 0.1) wait = pace.after(now, now + 0.1, { sockets: 0, bytes: 0 });
      return wait;
    };
    expect(busyFor(50)).toBe(120);
    seen = 2;
    expect(busyFor(50)).toBe(0);
  });
});
