/** The nodes of a ring as people read them, with what their servers say of themselves. */
import type { NodeFiguresView, NodeView } from '../src/admin/api.js';
import { colors } from './colors.js';
import { type FitColumn, fitTable } from './fit-table.js';
import { formatBytes, formatCount, formatSeconds, formatState } from './format.js';

const UNKNOWN = '-';
/** Of its memory's or its connections' limit: from here on somebody should look. */
const NEARLY = 0.9;

// A proxy of an earlier version says none of these figures.
const COLUMNS: readonly FitColumn<NodeView>[] = [
  { title: 'NODE', cell: ({ name }) => name },
  { title: 'STATE', cell: ({ state }) => formatState(state) },
  { title: 'ROLE', leftOut: 5, cell: told(({ role }) => (role === 'slave' ? colors.red('replica') : role)) },
  { title: 'VERSION', leftOut: 6, cell: ({ version }) => version ?? UNKNOWN },
  { title: 'MEMORY', isNumber: true, cell: formatMemory },
  { title: 'POLICY', leftOut: 4, cell: told(({ maxMemoryPolicy }) => maxMemoryPolicy) },
  {
    title: 'FRAGMENTATION',
    isNumber: true,
    leftOut: 7,
    cell: told(({ fragmentation }) => fragmentation?.toFixed(2) ?? null),
  },
  { title: 'EVICTED', isNumber: true, cell: told(({ evictedKeys }) => formatCount(evictedKeys)) },
  { title: 'EXPIRED', isNumber: true, leftOut: 3, cell: told(({ expiredKeys }) => formatCount(expiredKeys)) },
  { title: 'CLIENTS', isNumber: true, leftOut: 2, cell: told(formatClients) },
  { title: 'BLOCKED', isNumber: true, leftOut: 8, cell: told(({ blockedClients }) => formatCount(blockedClients)) },
  { title: 'UP FOR', isNumber: true, leftOut: 1, cell: told(({ uptimeSeconds }) => formatSeconds(uptimeSeconds)) },
];

/** @param width columns of the terminal; undefined: it goes elsewhere, where nothing is left out */
export function describeNodes(nodes: readonly NodeView[], width: number | undefined): string {
  return fitTable(COLUMNS, nodes, width);
}

function told(read: (figures: NodeFiguresView) => string | null): (node: Partial<NodeView>) => string {
  return ({ figures = null }) => (figures === null ? null : read(figures)) ?? UNKNOWN;
}

function formatMemory({ usedMemory, figures = null }: Partial<NodeView>): string {
  const used = usedMemory ?? null;
  const most = figures?.maxMemory ?? 0;
  if (most === 0) return formatBytes(used);
  return warned(`${formatBytes(used)} of ${formatBytes(most)}`, (used ?? 0) / most);
}

function formatClients({ connectedClients, maxClients }: NodeFiguresView): string | null {
  if (connectedClients === null || maxClients === null) return formatCount(connectedClients);
  return warned(`${formatCount(connectedClients)} of ${formatCount(maxClients)}`, connectedClients / maxClients);
}

function warned(text: string, part: number): string {
  return part < NEARLY ? text : colors.yellow(text);
}
