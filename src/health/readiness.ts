/** Whether clients can be served, and if not, why. @param nodes as the data plane reaches them */
export function readiness(
  nodes: readonly { readonly node: string; readonly address: string; readonly up: boolean }[],
): {
  ready: boolean;
  reason: string;
} {
  const down = nodes.filter(({ up }) => !up);
  if (down.length < nodes.length) return { ready: true, reason: '' };
  return {
    ready: false,
    reason: `no node answers: ${down.map(({ node, address }) => `${node} (${address})`).join(', ')}`,
  };
}
