import { describe, expect, it } from 'vitest';
import { ReplyMode } from '../../../src/proxy/session/reply-mode.js';

describe('CLIENT REPLY', () => {
  it('SKIP is for one command', () => {
    const mode = new ReplyMode();
    mode.skip();
    expect([mode.takesSilently(), mode.takesSilently()]).toEqual([true, false]);
  });

  it('OFF is until ON, and SKIP meanwhile leaves nothing behind', () => {
    const mode = new ReplyMode();
    mode.off();
    expect([mode.takesSilently(), mode.takesSilently()]).toEqual([true, true]);
    mode.skip();
    mode.overrule();
    expect(mode.takesSilently()).toBe(false);
  });

  it('ON takes back a SKIP', () => {
    const mode = new ReplyMode();
    mode.skip();
    mode.on();
    expect(mode.takesSilently()).toBe(false);
  });
});
