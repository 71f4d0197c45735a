/** Whether the nodes can do what a change asks of them; looked at before anything is held, flushed or moved. */
import { RingproxyError } from '../../errors.js';
import type { NodeExam } from '../../health/examine.js';
import type { NodeFacts } from '../../health/inspect.js';
import { sameNode } from '../../node/identity.js';
import { hintOnRights, lackingForMoves } from '../../node-rights.js';

import type { Member } from '../state/ring-state.js';

export interface FitnessHooks {
  /** Looks at a node. @throws RingproxyError when it cannot */
  inspect(node: Member): Promise<NodeFacts>;
  /** Asks a node what moving keys relies on. @throws RingproxyError when it cannot */
  examine(node: Member): Promise<NodeExam>;
  /** Whether a node takes another one's values: why not, or null. @throws RingproxyError when one cannot be asked */
  takesValuesOf(source: Member, target: Member): Promise<string | null>;
  /** How many databases clients may use. */
  readonly databases: number;
}

interface Examined {
  readonly node: Member;
  readonly facts: NodeFacts;
  readonly exam: NodeExam;
}

/**
 * @param sources members that lose keys
 * @param arriving nodes that join
 * @param targets nodes that get keys, those that join among them
 * @returns warnings
 * @throws RingproxyError NODE_DATABASES, NODE_RIGHTS or NODE_VERSION
 */
export async function checkFitness(
  sources: readonly Member[],
  arriving: readonly Member[],
  targets: readonly Member[],
  hooks: FitnessHooks,
): Promise<string[]> {
  const joins = (node: Member): boolean => arriving.some((other) => sameNode(other, node));
  const involved = [...sources, ...targets.filter((node) => !sources.some((source) => sameNode(source, node)))];
  const members = await examineAll(
    involved.filter((node) => !joins(node)),
    hooks,
    'skip those that do not answer',
  );
  const joining = await examineAll(arriving, hooks, 'all of them must answer');
  const losing = members.filter(({ node }) => sources.some((source) => sameNode(source, node)));
  for (const examined of [...joining, ...members]) refuseWithoutRights(examined);
  for (const examined of joining) refuseFewDatabases(examined, members, hooks.databases);
  for (const examined of [...joining, ...members]) {
    if (!targets.some((target) => sameNode(target, examined.node))) continue;
    const others = losing.filter((other) => other !== examined);
    // A ring may have begun with nodes that differ: clients use no more than each of them has.
    refuseFewDatabases(examined, others, 0);
    await refuseOlderVersion(examined, others, hooks);
  }
  return joining.flatMap((examined) => differences(examined, members));
}

async function examineAll(
  nodes: readonly Member[],
  hooks: FitnessHooks,
  rule: 'skip those that do not answer' | 'all of them must answer',
): Promise<Examined[]> {
  const found = await Promise.all(
    nodes.map(async (node) => {
      try {
        const [facts, exam] = await Promise.all([hooks.inspect(node), hooks.examine(node)]);
        return { node, facts, exam };
      } catch (error) {
        // One that is down will say so when its keys are to move. One that hides which process it is would not.
        if (error instanceof RingproxyError && error.code === 'NODE_RIGHTS') throw error;
        if (rule === 'skip those that do not answer') return null;
        throw error;
      }
    }),
  );
  return found.flatMap((examined) => examined ?? []);
}

function refuseWithoutRights({ node, exam }: Examined): void {
  const lacking = lackingForMoves(exam.lacking);
  if (lacking.length === 0) return;
  const isUnknown = (command: string): boolean =>
    exam.lacking.some((right) => right.command === command && right.why === 'unknown');
  throw new RingproxyError(
    'NODE_RIGHTS',
    `keys cannot be moved: ${node.name} (${node.address}) does not let the proxy use ${lacking.join(', ')}`,
    hintOnRights(lacking, lacking.filter(isUnknown)),
  );
}

/** @param databases that clients may use; 0: only what is in use counts */
function refuseFewDatabases({ node, exam }: Examined, members: readonly Examined[], databases: number): void {
  // No client can use more than each member has; what is in use must be taken in any case.
  const usable = Math.min(databases, ...members.map((member) => member.exam.databases));
  const inUse = Math.max(0, ...members.map((member) => member.facts.databasesInUse));
  const needed = Math.max(usable, inUse);
  if (exam.databases >= needed) return;
  throw new RingproxyError(
    'NODE_DATABASES',
    `${node.name} (${node.address}) has ${exam.databases} databases, and the ring's nodes have ${needed}`,
    `start it with --databases ${needed}, or more`,
  );
}

async function refuseOlderVersion(
  { node, facts }: Examined,
  members: readonly Examined[],
  hooks: FitnessHooks,
): Promise<void> {
  const asked = new Set([facts.version]);
  for (const member of members) {
    if (asked.has(member.facts.version)) continue;
    asked.add(member.facts.version);
    const why = await hooks.takesValuesOf(member.node, node);
    if (why === null) continue;
    throw new RingproxyError(
      'NODE_VERSION',
      `${node.name} (${node.address}, version ${facts.version}) does not take the values of ${member.node.name} (version ${member.facts.version}): ${why}`,
    );
  }
}

/** Applications would find this node to behave otherwise. */
function differences({ node, exam }: Examined, members: readonly Examined[]): string[] {
  return [...exam.settings].flatMap(([name, value]) => {
    const other = members.find((member) => (member.exam.settings.get(name) ?? value) !== value);
    if (other === undefined) return [];
    const theirs = other.exam.settings.get(name) ?? '';
    return [`${node.name} has ${name} '${value}', where ${other.node.name} has '${theirs}'`];
  });
}
