/**
 * Applications that were written for one Redis, with their defaults, see at a ring what they see at a single Redis:
 * the same results, the same errors, the same keys at the end, while their keys are on several nodes.
 */
import { beforeAll, expect, it } from 'vitest';
import { findInterpreter } from './interpreter.js';
import { Stages } from './stage.js';
import { APPLICATIONS } from './table.js';
import { surprises, toLines } from './transcript.js';

/** They wait for one another: two run at a time, each at both servers side by side. */
const TIMEOUT = { timeout: 300_000 };
let stages: Stages;

beforeAll(async () => {
  stages = await Stages.start(2);
});

for (const application of APPLICATIONS) {
  const { name, crosses } = application;
  const interpreter = findInterpreter(application);

  it.skipIf(interpreter === null).concurrent(name, TIMEOUT, async () => {
    const [single, ring] = await stages.lend((stage) =>
      Promise.all([stage.atSingle(interpreter ?? '', application), stage.atRing(interpreter ?? '', application)]),
    );
    expect(surprises(single.transcript)).toEqual([]);
    expect(toLines(ring.transcript)).toEqual(toLines(single.transcript));
    expect(ring.keyspace).toEqual(single.keyspace);
    expect(ring.leftBehind).toEqual([]);
    expect([...ring.crossed]).toEqual(expect.arrayContaining([...crosses]));
  });
}
