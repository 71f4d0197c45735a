/** What a change would do, and whether it may: everything that is looked at before anything is held, flushed or moved. */
import type { ChangeAccepted, ChangeRequest } from '../../admin/api.js';
import { RingproxyError } from '../../errors.js';
import type { NodeHealth } from '../../health/node-monitor.js';
import { sameNode } from '../../node/identity.js';
import type { Survey } from '../../rebalance/survey.js';
import type { Rings } from '../../ring/rings.js';
import { type AdmissionHooks, checkRoom, examineArrivals, processesOf } from '../admission/admission.js';
import { checkFitness, type FitnessHooks } from '../admission/fitness.js';
import { tellingNodes } from '../admission/node-failure.js';
import { refuseShared } from '../admission/shared-servers.js';
import { refuseStrangers, type StrangerPorts } from '../admission/strangers.js';
import type { ChangeRings, RingBuilder } from '../change-rings.js';
import { type Member, nextMembers, type RingState, serversBefore } from '../state/ring-state.js';
import { findDeadNodes, refuseDeadTargets } from './dead-nodes.js';
import { toNewMember } from './request.js';

export interface PlanPorts extends AdmissionHooks, FitnessHooks {
  readonly strangers: StrangerPorts;
  /** Looks for the largest keys that would move. @param skipped nodes that are not asked */
  survey(nodes: readonly Member[], rings: Rings, skipped: readonly Member[]): Promise<Survey>;
  /**
   * Removes keys that are not on their owner, and that the change would bring to light.
   * @param nodes index-aligned with those of `rings`
   * @param gaining members that get keys
   * @param looks only say what would be removed
   * @returns warnings
   * @throws RingproxyError when there are so many that something else must be wrong, or a node cannot be asked
   */
  clearStrays(nodes: readonly Member[], rings: Rings, gaining: readonly number[], looks: boolean): Promise<string[]>;
}

export interface ChangePlan {
  readonly members: readonly Member[];
  readonly arriving: readonly Member[];
  /** Those that join and hold keys, which are to be removed. */
  readonly toFlush: readonly Member[];
  readonly undrained: readonly string[];
  /** Names of those among them that only get another address. */
  readonly readdressed: readonly string[];
  /** Of nodes that are down, and whose keys are to move: what helps. */
  readonly waitsFor: readonly string[];
  readonly accepted: ChangeAccepted;
}

/** @throws RingproxyError with the reason why the change may not be */
export async function planChange(
  request: ChangeRequest,
  state: RingState,
  builder: RingBuilder,
  ports: PlanPorts,
): Promise<ChangePlan> {
  const looks = request.dryRun === true;
  const joining = (request.add ?? []).map(toNewMember);
  const replace = (request.replace ?? []).map(toNewMember);
  const members = nextMembers(state, { add: joining, remove: request.remove, weights: request.weights, replace });
  const arriving = members.filter((member) => !state.members.some((old) => sameNode(old, member)));
  const leaving = [...(request.remove ?? []), ...(request.replace ?? []).map(({ name }) => name)];
  const givenUp = request.noDrain === true ? leaving : [];
  // What is gone is not asked who is connected there.
  const kept = state.members.filter(({ name }) => !givenUp.includes(name));
  const asked = [...kept, ...arriving];
  const warnings = await refuseStrangers(asked, request.force === true, ports.strangers);
  const known = arriving.length === 0 ? kept : state.members;
  const processes = await processesOf(known, ports);
  refuseShared(
    kept,
    kept.map((member) => processes[known.indexOf(member)] ?? ''),
  );
  const { toFlush, readdressed } = await examineArrivals(known, processes, arriving, request.flush === true, ports);
  if (readdressed.length > 0 && !isOnlyReadressing(request, readdressed)) {
    const names = readdressed.map(({ name, address }) => `${name} (${address})`).join(', ');
    throw new RingproxyError('READDRESSED', `${names} would only get another address`);
  }
  warnings.push(
    ...readdressed.map(({ name, address }) => `${address} leads to the server that ${name} is: it keeps its keys`),
  );
  // Nothing moves off a node to itself: as where keys are given up, whoever asks for them goes to the new address.
  const sameServer = readdressed.map(({ name }) => name);
  const undrained = [...new Set([...givenUp, ...sameServer])];
  const { union, rings } = await builder.buildBetween(state.members, members, state.options);
  const moves = readdressed.length > 0 ? [] : rings.moves();
  const lost = givenUp.filter((name) => !sameServer.includes(name));
  if (lost.length > 0) warnings.push(`the keys of ${lost.join(', ')} are given up: they will read as missing`);
  const health = (node: Member): NodeHealth | null => ports.health(node);
  const dead = findDeadNodes({ members: state.members, leaving, undrained, moves, health });
  warnings.push(...refuseDeadTargets(dead, looks), ...dead.sources);
  const losing = state.members.filter((member) => moves.some(({ source }) => source === member.name));
  const gaining = members.filter((member) => moves.some(({ target }) => target === member.name));
  const drained = losing.filter((member) => !undrained.includes(member.name));
  warnings.push(...(await checkFitness(drained, arriving, gaining, ports)));
  const shares = new Map(state.members.map((node, index) => [node.name, rings.shares()[index] ?? 0]));
  const sources = state.members.filter((member) => !undrained.includes(member.name));
  warnings.push(...(await checkRoom(moves, shares, sources, members, toFlush, ports)));
  // Those that join are empty, or will be.
  const keeping = gaining.filter((node) => !arriving.includes(node) && ports.health(node)?.up !== false);
  const indices = keeping.map((node) => union.findIndex((member) => sameNode(member, node)));
  warnings.push(...(await tellingNodes(ports.clearStrays(union, rings, indices, looks), looks)));
  const survey = looks ? await surveyed({ union, rings, losing, undrained }, warnings, ports) : null;
  const accepted = { generation: state.generation + 1, dryRun: looks, warnings, moves, survey };
  return { members, arriving, toFlush, undrained, readdressed: sameServer, waitsFor: dead.sources, accepted };
}

/** Beside that keys would move, and a change from one address to the other can not be turned round. */
function isOnlyReadressing(request: ChangeRequest, readdressed: readonly Member[]): boolean {
  const { add = [], remove = [], weights = [], replace = [] } = request;
  return add.length + remove.length + weights.length === 0 && replace.length === readdressed.length;
}

interface Surveyed extends ChangeRings {
  readonly losing: readonly Member[];
  readonly undrained: readonly string[];
}

/** What would move off the nodes that answer. @param warnings take up those that do not */
async function surveyed(
  { union, rings, losing, undrained }: Surveyed,
  warnings: string[],
  ports: Pick<PlanPorts, 'survey' | 'health'>,
): Promise<ChangeAccepted['survey']> {
  const given = serversBefore(union, undrained);
  const down = losing.filter((node) => !given.includes(node) && ports.health(node)?.up === false);
  const { largest, keys, complete, unseen } = await ports.survey(union, rings, [...given, ...down]);
  const missing = [...down.map(({ name }) => name), ...unseen];
  if (missing.length > 0) warnings.push(`what would move off ${missing.join(', ')} could not be looked at`);
  return { largest, keys, complete: complete && missing.length === 0 };
}
