/**
 * The groups that test files are run in, one group after the other. Two cores, and tests that look at clocks: what
 * needs a core to itself runs alone, and what hardly needs one, or looks at no clock, runs two files at a time.
 */
import { join } from 'node:path';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { ROOT } from './root.js';
import { testsWithoutPrograms, unitTests } from './unit-tests.js';

/**
 * Tests whose time goes by with waiting: for nodes that stall, limits that pass, leases that end, etcd's members that
 * elect. Their own bounds have seconds to spare, and their programs use half of a core at most, mostly a fifth.
 */
export const WAITING = [
  'test/cli/top-command.test.ts',
  'test/fleet/standing/etcd-away.test.ts',
  'test/fleet/standing/passed-over.test.ts',
  'test/fuzz/cross-node.test.ts',
  'test/health/reasons.test.ts',
  'test/proxy/failures.test.ts',
  'test/proxy/features/blocking/blocking.test.ts',
  'test/proxy/features/cross-node/faults.test.ts',
  'test/proxy/features/pubsub/publish-order.test.ts',
  'test/proxy/features/scripts/scripts.test.ts',
  'test/proxy/route/missing-node.test.ts',
  'test/rebalance/mover.test.ts',
  'test/support/etcd-process.test.ts',
  'test/topology/fence-holders.test.ts',
  'test/topology/node-faults-in-change.test.ts',
  'test/topology/restarted-nodes.test.ts',
  'test/topology/scan-in-change.test.ts',
  'test/topology/store/etcd-access.test.ts',
  'test/topology/store/etcd-fleet.test.ts',
  'test/topology/store/etcd-outcomes.test.ts',
  'test/topology/store/etcd-store.test.ts',
  'test/topology/store/etcd-watch.test.ts',
];

/**
 * Of the tests with servers, those that CI runs on the recommended Node.js, too: every way through the sockets,
 * workers, a change of the ring under load, random streams.
 */
export const CORE = [
  'test/consistency/flows.test.ts',
  'test/fuzz/differential.test.ts',
  'test/plane/workers/workers.test.ts',
  'test/proxy/connection.test.ts',
  'test/proxy/fidelity.test.ts',
  'test/proxy/routing.test.ts',
  'test/proxy/session/half-closed.test.ts',
];

/** Every test. */
export function allGroups(): TestProjectInlineConfiguration[] {
  const computing = testsWithoutPrograms(join(ROOT, 'test'));
  const waiting = WAITING.map((file) => join(ROOT, file));
  return [
    group(0, 'computing', computing, 2),
    group(1, 'waiting', waiting, 2),
    group(2, 'servers', ['test/**/*.test.ts'], 1, [...computing, ...waiting]),
  ];
}

/** What is run on a second Node.js. */
export function coreGroups(): TestProjectInlineConfiguration[] {
  return [group(0, 'computing', unitTests(join(ROOT, 'test')), 2), group(1, 'servers', CORE, 1)];
}

function group(
  order: number,
  name: string,
  include: string[],
  workers: number,
  without: readonly string[] = [],
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
    },
  };
}
