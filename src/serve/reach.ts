import type { Config } from '../config/settings.js';
import type { Login } from '../node/endpoint.js';
import type { NodeIdentity } from '../node/identity.js';

/** Adds to a node how the proxy logs in there, and where other nodes find it. */
export type Reach = <Node extends NodeIdentity>(node: Node) => Node & Login & { readonly peerAddress: string };

export function reachBy(config: Config): Reach {
  return (node) => {
    const own = config.nodes.find(({ name }) => name === node.name);
    return {
      ...node,
      username: own?.username ?? config.nodeUsername,
      password: own?.password ?? config.nodePassword,
      peerAddress: own?.peerAddress ?? node.address,
    };
  };
}
