/** How often clients were at a limit. */

/** By what clients are counted together. */
export const COUNTED_BY = ['address', 'user'] as const;
export type CountedBy = (typeof COUNTED_BY)[number];

/** By what was limited: clients were turned away, not read for a while, or their commands refused. */
export interface LimitCounts {
  connections: number;
  commands: number;
  bytes: number;
}

export type AllLimitCounts = Record<CountedBy, LimitCounts>;

export function noLimitCounts(): AllLimitCounts {
  return { address: { connections: 0, commands: 0, bytes: 0 }, user: { connections: 0, commands: 0, bytes: 0 } };
}

export function addLimitCounts(sum: AllLimitCounts, counts: AllLimitCounts): void {
  for (const by of COUNTED_BY) {
    for (const limit of ['connections', 'commands', 'bytes'] as const) sum[by][limit] += counts[by][limit];
  }
}
