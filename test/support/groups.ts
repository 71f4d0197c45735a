/**
 * The groups that test files are run in, one group after the other. On two cores, two files at a time: most files of
 * tests wait for most of their time, for programs that start and for what they do. `npm test` lets those that compute
 * for minutes run beside them, at the lowest priority (test/scripts/test.mjs). Alone runs what looks at a clock, at how
 * fast or how large something is, or needs both cores for itself.
 */
import { join } from 'node:path';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { ROOT } from './root.js';
import { testsWithoutPrograms, unitTests } from './unit-tests.js';

/**
 * Tests that run alone. A test that waits for what it expects (`expect.poll`, a line of a log) is none of them, however
 * long it takes: a busy machine makes it slower, not red. Nor is one with a bound that a slow machine only helps to keep,
 * such as that of a rate.
 */
export const ALONE = [
  // Speeds, times and memory are compared with bounds.
  'test/admin/event-streams.test.ts',
  'test/fuzz/differential.test.ts',
  'test/proxy/back-pressure.test.ts',
  'test/proxy/features/fill/near.test.ts',
  'test/proxy/features/near/near.test.ts',
  'test/proxy/features/pubsub/bounds.test.ts',
  'test/proxy/features/tracking/bounds.test.ts',
  'test/proxy/features/transactions/transaction-memory.test.ts',
  'test/proxy/unread-replies.test.ts',
  'test/topology/cancel.test.ts',
  'test/topology/fleet-coordination.test.ts',
  // Load on both cores, for as long as something else goes on.
  'test/consistency/changing-groups.test.ts',
  'test/consistency/flows.test.ts',
  'test/consistency/interleavings/interleavings.test.ts',
  'test/consistency/near/near.test.ts',
  'test/consistency/restarts.test.ts',
  'test/consistency/ring-changes.test.ts',
  'test/fleet/cap.test.ts',
  'test/fleet/consistency.test.ts',
  'test/fleet/ejection.test.ts',
  'test/plane/workers/workers.test.ts',
  'test/support/netns/network.test.ts',
];

/**
 * Of the tests with servers, those that CI runs on the recommended Node.js, too, where sockets are read and written in
 * batches: every way through the sockets, nodes that fail, workers, changes of the ring under load, random streams.
 */
export const CORE = [
  'test/consistency/flows.test.ts',
  'test/consistency/ring-changes.test.ts',
  'test/fuzz/differential.test.ts',
  'test/plane/workers/workers.test.ts',
  'test/proxy/back-pressure.test.ts',
  'test/proxy/connection.test.ts',
  'test/proxy/failures.test.ts',
  'test/proxy/fidelity.test.ts',
  'test/proxy/routing.test.ts',
  'test/proxy/session/half-closed.test.ts',
  'test/proxy/unread-replies.test.ts',
];

/** Every test. */
export function allGroups(): TestProjectInlineConfiguration[] {
  const computing = unitTests(join(ROOT, 'test'));
  const long = testsWithoutPrograms(join(ROOT, 'test')).filter((file) => !computing.includes(file));
  const alone = ALONE.map((file) => join(ROOT, file));
  return [
    group(0, 'computing', computing, 2),
    // What is left of the processors for them may be little.
    group(1, 'long', long, 2, [], { testTimeout: 900_000 }),
    group(2, 'servers', ['test/**/*.test.ts'], 2, [...computing, ...long, ...alone]),
    group(3, 'alone', alone, 1),
  ];
}

/** What is run on a second Node.js. What another Node.js may break is not how test files share a process. */
export function coreGroups(): TestProjectInlineConfiguration[] {
  return [
    group(0, 'computing', unitTests(join(ROOT, 'test')), 2, [], { isolate: false }),
    group(
      1,
      'servers',
      CORE.filter((file) => !ALONE.includes(file)),
      2,
    ),
    group(
      2,
      'alone',
      CORE.filter((file) => ALONE.includes(file)),
      1,
    ),
  ];
}

function group(
  order: number,
  name: string,
  include: string[],
  workers: number,
  without: readonly string[] = [],
  more: { readonly isolate?: boolean; readonly testTimeout?: number } = {},
): TestProjectInlineConfiguration {
  return {
    root: ROOT,
    test: {
      name,
      include,
      exclude: ['**/node_modules/**', ...without],
      setupFiles: ['test/support/vitest-setup.ts'],
      maxWorkers: workers,
      sequence: { groupOrder: order },
      testTimeout: 120_000,
      hookTimeout: 120_000,
      // A list that should be empty is told whole: what broke once may not break again.
      chaiConfig: { truncateThreshold: 0 },
      // A wait ends with what it waits for; this is only when to give up, and a busy machine is no failure.
      expect: { poll: { timeout: 30_000 } },
      ...more,
    },
  };
}
