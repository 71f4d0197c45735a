/** Who goes on with a change waits until no node runs what its predecessor has sent. */
import { expect, it } from 'vitest';
import { type FailureKind, failure, NodeFailure } from '../../../src/node/failure.js';
import { dropPredecessors } from '../../../src/topology/jobs/take-over.js';
import type { Member } from '../../../src/topology/state/ring-state.js';

const member = (name: string): Member => ({ name, address: `${name}:1`, weight: 1, id: 0, access: {} });

/** Goes on with a change while nodes fail so often, and so. @returns what was asked of nodes, and what was waited for */
async function takeOver(failures: Readonly<Record<string, (Error | FailureKind)[]>>, closesAfter = Infinity) {
  const asked: string[] = [];
  const waits: (string | null)[] = [];
  const left = new Map(Object.entries(failures).map(([name, list]) => [name, [...list]]));
  const passed = await dropPredecessors(
    [member('a'), member('b')],
    ['p1'],
    {
      killPredecessors: async ([node]) => {
        asked.push(node?.name ?? '');
        const next = left.get(node?.name ?? '')?.shift();
        if (next instanceof Error) throw next;
        if (next !== undefined) throw new NodeFailure({ name: node?.name ?? '', address: 'h:1' }, failure(next, 'x'));
      },
      onWait: (why) => waits.push(why),
      isClosed: () => asked.length >= closesAfter,
    },
    {
      after: (_milliseconds, callback) => {
        setImmediate(callback);
        return () => {};
      },
    },
  );
  return { asked, waits, passed };
}

it('tries a node that cannot be asked until it can, and says so', async () => {
  const { asked, waits, passed } = await takeOver({ a: ['timeout', 'cut', new Error('refused the connection')] });
  expect(asked).toEqual(['a', 'a', 'a', 'a', 'b']);
  expect(waits).toEqual([
    'waits for node a (h:1) did not answer within x',
    'waits for node a (h:1) cut the connection: x',
    // Not its words count, but what it is.
    'waits for refused the connection',
    null,
  ]);
  expect(passed).toBe(true);
});

// Symptom: a change was never gone on with while a node behind a Unix socket was down. Cause: only a port that refuses
// connections counted as one where nobody listens, and not a socket that is gone.
it.each(['refused', 'no-socket'] as const)('does not wait where nobody listens: %s', async (kind) => {
  expect(await takeOver({ a: [kind] })).toEqual({ asked: ['a', 'b'], waits: [null], passed: true });
});

it('ends when it is closed', async () => {
  expect(await takeOver({ a: ['timeout', 'timeout', 'timeout'] }, 2)).toMatchObject({
    asked: ['a', 'a'],
    passed: false,
  });
});
