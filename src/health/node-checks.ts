/** What a change of the ring asks of nodes, before keys move. */
import type { NodeEndpoint } from '../node/endpoint.js';
import type { ProxyStanding } from '../node/standing.js';
import { emptyNode, flushNode } from './empty.js';
import { examineNode, type NodeExam, takesValuesOf } from './examine.js';
import { inspectNode, type NodeFacts, runIdsOf } from './inspect.js';

/** How long a node may take to say which process it is, while commands on moved keys are held. */
const RUN_ID_MS = 500;

export interface NodeChecks<Node> {
  /** @see inspectNode */
  inspect(node: Node): Promise<NodeFacts>;
  /** @see examineNode */
  examine(node: Node): Promise<NodeExam>;
  /** @see takesValuesOf */
  takesValuesOf(source: Node, target: Node): Promise<string | null>;
  /** @see flushNode */
  flush(node: Node): Promise<void>;
  /** @see emptyNode */
  empty(node: Node, mayRemove?: (runId: string) => Promise<void>): Promise<string>;
  /** @see runIdsOf */
  runIds(nodes: readonly Node[]): Promise<string[]>;
}

/**
 * @param reach says how to log in at a node
 * @param limits milliseconds, and how many databases are needed
 * @param standing by what right nodes are emptied
 */
export function nodeChecks<Node>(
  reach: (node: Node) => NodeEndpoint,
  limits: { readonly probeTimeout: number; readonly connectTimeout: number; readonly databases: number },
  standing: ProxyStanding,
): NodeChecks<Node> {
  const { probeTimeout, connectTimeout, databases } = limits;
  return {
    inspect: (node) => inspectNode(reach(node), Math.max(probeTimeout, connectTimeout)),
    examine: (node) => examineNode(reach(node), databases, connectTimeout),
    takesValuesOf: (source, target) => takesValuesOf(reach(source), reach(target), connectTimeout),
    flush: (node) => flushNode(reach(node), connectTimeout, standing),
    empty: (node, mayRemove) => emptyNode(reach(node), databases, connectTimeout, standing, mayRemove),
    runIds: (nodes) => runIdsOf(nodes.map(reach), RUN_ID_MS),
  };
}
