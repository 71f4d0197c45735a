/** Pieces of PromQL that several panels share. `$proxy` and `$node` are the dashboards' variables. */

/** Series of the chosen proxies. */
export const PROXY = 'instance=~"$proxy"';
/** Series of the chosen nodes, as the chosen proxies see them. */
export const NODE = 'instance=~"$proxy",node=~"$node"';
/**
 * Commands whose duration is the proxy's and the nodes' doing: not those that wait for something to happen. The
 * recording rules leave out the same.
 */
export const NOT_BLOCKING = 'command!~"b(l|r|z).*|xread|xreadgroup|wait|waitaof"';

/** @returns how much a counter grows a second */
export function rate(counter: string, selector: string, by = ''): string {
  const grouping = by === '' ? '' : ` by (${by})`;
  return `sum${grouping} (rate(${counter}{${selector}}[$__rate_interval]))`;
}

/** @param name of a histogram, without `_bucket`. @returns the quantile, 0 to 1, in the histogram's unit */
export function quantile(q: number, name: string, selector: string, by = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${name}_bucket{${selector}}[$__rate_interval])))`;
}

/** Part of the commands that were answered with an error; 0 when there were none. */
export const ERROR_RATIO =
  `(${rate('ringproxy_commands_total', `${PROXY},outcome="error"`)} or vector(0)) / ` +
  `(${rate('ringproxy_commands_total', PROXY)} > 0)`;

/** Part of the reads that found their key. */
export const HIT_RATIO =
  `${rate('ringproxy_cache_requests_total', `${PROXY},result="hit"`)} / ` +
  `(${rate('ringproxy_cache_requests_total', PROXY)} > 0)`;

/** Part of all commands to nodes that each node gets. */
export const LOAD_SHARE =
  `${rate('ringproxy_node_commands_total', NODE, 'node')} / on () group_left () ` +
  `(${rate('ringproxy_node_commands_total', PROXY)} > 0)`;

/** Part of the hash space that each node owns. Proxies of one ring agree on it. */
export const RING_SHARE = `max by (node) (ringproxy_ring_share{${NODE}})`;

/** @returns by how much proxies differ in a metric */
const spread = (selected: string): string => `max(${selected}) - min(${selected})`;

const SHARES = `ringproxy_ring_share{${PROXY}}`;

/**
 * 1 when proxies route by different rings, otherwise 0. Each proxy counts generations by itself, so two rings can
 * differ and have the same one. The alert RingproxyGenerationsDiffer asks for the same.
 */
export const RINGS_DIFFER =
  `clamp_max((${spread(`ringproxy_ring_generation{${PROXY}}`)} > bool 0) + ` +
  `(max(max by (node) (${SHARES}) - min by (node) (${SHARES})) > bool 0.0001) + ` +
  `(${spread(`ringproxy_ring_phase{${PROXY},phase="stable"}`)} > bool 0), 1)`;
