import { describe, expect, it } from 'vitest';
import { ErrorKinds } from '../../../src/proxy/measure/error-kinds.js';

function countsOf(...replies: string[]): Record<string, number> {
  const kinds = new ErrorKinds();
  // Somewhere in a buffer, as replies are found.
  for (const reply of replies) kinds.count(Buffer.from(`$1\r\nx\r\n${reply}`), 7);
  return Object.fromEntries([...kinds.entries()].filter(([, count]) => count > 0));
}

describe('errors by kind', () => {
  it('takes the first word of the reply', () => {
    expect(countsOf('-NODEDOWN node a (x) …\r\n', '-ERR no\r\n', '-ERR\r\n', '-ERR', '-CROSSSLOT k\r\n')).toEqual({
      NODEDOWN: 1,
      ERR: 3,
      CROSSSLOT: 1,
    });
  });

  it('has one kind for everything that it does not know, however many there are', () => {
    expect(countsOf('-MYSCRIPT1 x\r\n', '-MYSCRIPT2 x\r\n', '-\r\n', '-err x\r\n', `-${'E'.repeat(1000)}\r\n`)).toEqual(
      {
        other: 5,
      },
    );
  });
});
