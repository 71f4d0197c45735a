import { type ConfiguredAccess, type Reach, reachOf } from '../node/access.js';
import type { Mastership } from '../node/endpoint.js';
import type { RoutedNode } from '../proxy/snapshot.js';
import type { Member } from '../topology/state/ring-state.js';

/** Adds to a member how it is reached: how the proxy logs in there, and where other nodes find it. */
export type ReachMember = (member: Member) => RoutedNode & Reach;

/**
 * @param masterOf where the master of a followed node is; undefined: the node is at its address
 * @param processOf which process may serve there: see `NodeEndpoint.process`
 */
export function reachBy(
  access: ConfiguredAccess,
  masterOf: (member: Member) => Mastership | undefined,
  processOf: (member: Member) => string | undefined = () => undefined,
): ReachMember {
  return (member) => {
    const { id, name, address, weight } = member;
    const process = processOf(member);
    const reach = reachOf(member, access, masterOf(member));
    return { id, name, address, weight, ...reach, ...(process === undefined ? {} : { process }) };
  };
}
