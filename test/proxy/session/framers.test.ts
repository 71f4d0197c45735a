import { describe, expect, it } from 'vitest';
import { Framers } from '../../../src/proxy/session/framers.js';
import { COMPLETE, INCOMPLETE, MALFORMED, type RequestFramer } from '../../../src/resp/request-framer.js';

const GET = Buffer.from('*2\r\n$3\r\nGET\r\n$1\r\na\r\n');
const ELEVEN = Buffer.from(`*11\r\n${'$1\r\na\r\n'.repeat(11)}`);

function next(framer: RequestFramer, bytes: Buffer, length = bytes.length): number {
  return framer.next(bytes, 0, length);
}

describe('framers', () => {
  it('are one for all whose frames come whole, and one for each whose frame is cut', () => {
    const framers = new Framers(1024);
    const { common } = framers;
    expect(next(common, GET)).toBe(COMPLETE);
    expect(common.isAtRest).toBe(true);
    const cut = [1, 3, 10, GET.length - 1].map((length) => {
      expect(next(framers.common, GET, length)).toBe(INCOMPLETE);
      const kept = framers.keepCommon();
      expect(kept).not.toBe(framers.common);
      expect(kept.isAtRest).toBe(false);
      return kept;
    });
    expect(new Set([...cut, framers.common]).size).toBe(5);
    // Others' frames meanwhile are none of theirs.
    expect(next(framers.common, ELEVEN)).toBe(COMPLETE);
    for (const framer of cut) {
      expect([next(framer, GET), framer.argc, framer.frameEnd]).toEqual([COMPLETE, 2, GET.length]);
      expect(framer.isAtRest).toBe(true);
      framers.give(framer);
    }
    expect(next(framers.common, GET, 5)).toBe(INCOMPLETE);
    framers.keepCommon();
    expect(cut).toContain(framers.common);
  });

  it('allow strangers less, until they have authenticated', () => {
    const framers = new Framers(1024);
    const framer = framers.forStranger();
    expect(next(framers.common, ELEVEN)).toBe(COMPLETE);
    expect(next(framer, ELEVEN)).toBe(MALFORMED);
    expect(framer.error).toMatch(/unauthenticated multibulk length/);
    framer.reset();
    framers.admit(framer, true);
    expect(next(framer, ELEVEN)).toBe(COMPLETE);
    framers.admit(framer, false);
    expect(next(framer, ELEVEN)).toBe(MALFORMED);
    expect(next(framers.common, ELEVEN)).toBe(COMPLETE);
  });
});
