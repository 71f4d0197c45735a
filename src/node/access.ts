/** How the proxy, and the other nodes, reach a node: what was said of it alone, and what stands for all nodes. */
import { type Login, type Mastership, shownAddress } from './endpoint.js';
import { type NodeIdentity, sameNode } from './identity.js';
import type { NodeCredentials, NodeTls } from './tls.js';

/** What one node has of its own; what is missing is as for all nodes. Never shown: it may hold a password. */
export interface NodeAccess {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Where other nodes find it, `HOST:PORT`, if not under its address. */
  readonly peerAddress?: string | undefined;
  /** Whether it is spoken to by TLS. */
  readonly tls?: boolean | undefined;
  /** What its certificate must bear, if not the host of its address: a name or an IP address. */
  readonly tlsServerName?: string | undefined;
  /** Whether other nodes speak TLS with it, if that is not as with proxies. */
  readonly peerTls?: boolean | undefined;
}

/** A node with what was said of its access when it joined. */
export interface AccessedNode extends NodeIdentity {
  readonly access: NodeAccess;
}

/** Everything that it takes to connect to a node, and to have others connect to it. */
export interface Reach extends Login {
  /** Where other nodes find it. */
  readonly peerAddress: string;
  readonly master?: Mastership | undefined;
  /** Undefined: it is not spoken to by TLS. */
  readonly tls: NodeTls | undefined;
  /** Whether other nodes speak TLS with it. */
  readonly peerTls: boolean;
}

/** What this proxy's configuration says. */
export interface ConfiguredAccess {
  readonly nodes: readonly (NodeIdentity & NodeAccess)[];
  /** Where a node has no login of its own. */
  readonly login: Login;
  /** Where it is not said of a node. */
  readonly tls: { readonly isOn: boolean; readonly serverName: string };
  /** What is used with a node of this name. */
  readonly credentialsOf: (name: string) => NodeCredentials;
}

/**
 * The configuration of this proxy goes before what is kept with the ring, so that a password can be changed there. What
 * it says under the node's name counts for the server at its address; of another server by that name, which has taken
 * its place, only the login, and only when it joined without one.
 * @param master where the node's master is; undefined: the node is at its address
 */
export function reachOf(
  node: AccessedNode,
  { nodes, login, tls, credentialsOf }: ConfiguredAccess,
  master: Mastership | undefined = undefined,
): Reach {
  const named = nodes.find(({ name }) => name === node.name);
  const own = named !== undefined && sameNode(named, node) ? named : undefined;
  const { username, password } = [own, node.access, named].find(hasLogin) ?? {};
  const isTls = hasPort(node.address) && (own?.tls ?? node.access.tls ?? tls.isOn);
  const serverName = own?.tlsServerName ?? node.access.tlsServerName ?? tls.serverName;
  return {
    username: username ?? login.username,
    password: password ?? login.password,
    peerAddress: own?.peerAddress ?? node.access.peerAddress ?? shownAddress({ ...node, master }),
    ...(master === undefined ? {} : { master }),
    tls: isTls ? { serverName, credentials: credentialsOf(node.name) } : undefined,
    peerTls: own?.peerTls ?? node.access.peerTls ?? isTls,
  };
}

/** A Unix socket leads to this machine, and never by TLS. */
function hasPort(address: string): boolean {
  return !address.startsWith('/');
}

function hasLogin(access: NodeAccess | undefined): boolean {
  return access?.username !== undefined || access?.password !== undefined;
}

/** What another server keeps that takes a node's place on the ring, unless something else is said of it. */
export function takenOver(before: NodeAccess, given: NodeAccess): NodeAccess {
  const { username, password } = hasLogin(given) ? given : before;
  const { tls, tlsServerName } = given.tls === undefined && given.tlsServerName === undefined ? before : given;
  return { ...given, username, password, tls, tlsServerName };
}
