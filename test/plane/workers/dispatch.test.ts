import { expect, it } from 'vitest';
import { dispatch, type Handlers } from '../../../src/plane/workers/dispatch.js';

interface Table {
  greeted: { readonly name: string };
  left: object;
}

it('hands a message to the handler of its type, with what comes beside it', () => {
  const told: string[] = [];
  const handlers: Handlers<Table, [from: number]> = {
    greeted: ({ name }, from) => void told.push(`${name} of ${from}`),
    left: (_message, from) => void told.push(`${from} left`),
  };
  dispatch(handlers, { type: 'greeted', name: 'a' }, 1);
  dispatch(handlers, { type: 'left' }, 2);
  expect(told).toEqual(['a of 1', '2 left']);
});

it('does not compile without a handler for each type', () => {
  // @ts-expect-error There is none for `left`.
  const handlers: Handlers<Table> = { greeted: () => {} };
  expect(handlers).not.toHaveProperty('left');
});
