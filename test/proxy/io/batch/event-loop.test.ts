import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EventLoop } from '../../../../src/proxy/io/batch/event-loop.js';

function newLoop() {
  const done: string[] = [];
  const loop = new EventLoop();
  loop.join({
    read: () => done.push('read'),
    finish: (hasRead) => done.push(hasRead ? 'finish' : 'finish without reads'),
  });
  return { loop, done };
}

describe('a turn of the event loop', () => {
  it('reads, then ends, then writes, each once', async () => {
    const { loop, done } = newLoop();
    loop.atEnd(() => done.push('one'));
    loop.onReadable();
    loop.atEnd(() => done.push('other'));
    loop.onReadable();
    await nextTurn();
    await nextTurn();
    expect(done).toEqual(['read', 'one', 'other', 'finish']);
  });

  it('ends with what its reads have asked for', async () => {
    const done: string[] = [];
    const loop = new EventLoop();
    loop.join({ read: () => loop.atEnd(() => done.push('end')), finish: () => done.push('finish') });
    loop.onReadable();
    await nextTurn();
    await nextTurn();
    expect(done).toEqual(['end', 'finish']);
  });

  it('tells where nothing was read', async () => {
    const { loop, done } = newLoop();
    loop.atEnd(() => done.push('end'));
    await nextTurn();
    expect(done).toEqual(['end', 'finish without reads']);
  });

  it('leaves to the next one what an end asks for', async () => {
    const { loop, done } = newLoop();
    loop.atEnd(() => {
      done.push('first');
      loop.atEnd(() => done.push('second'));
      loop.onReadable();
    });
    await nextTurn();
    expect(done).toEqual(['first', 'finish without reads']);
    await nextTurn();
    expect(done.slice(2)).toEqual(['read', 'second', 'finish']);
  });

  it('has its ends where no sockets are read together, too', async () => {
    const done: string[] = [];
    const loop = new EventLoop();
    loop.atEnd(() => done.push('end'));
    await nextTurn();
    expect(done).toEqual(['end']);
  });
});
