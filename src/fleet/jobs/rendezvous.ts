import { createHash } from 'node:crypto';

/**
 * Rendezvous hashing: each job has an order of members of its own, and is the first one's. A member that comes or goes
 * moves no job between two others.
 * @returns the members, the one whose job it is first
 */
export function rankFor(job: string, members: readonly string[]): string[] {
  const weights = new Map(members.map((member) => [member, weightOf(job, member)]));
  return [...members].sort((a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0) || (a < b ? -1 : 1));
}

/** 48 bits: exact as a number. */
function weightOf(job: string, member: string): number {
  return createHash('sha1').update(`${job}\n${member}`).digest().readUIntBE(0, 6);
}
