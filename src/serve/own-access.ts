/** How this proxy reaches nodes and Sentinels: as it was started, with the logins of what was read since. */
import { firstLine } from '../config/first-line.js';
import type { NodeConfig } from '../config/settings/nodes.js';
import type { Config } from '../config/settings.js';
import type { ConfiguredAccess } from '../node/access.js';
import type { Login, Speech } from '../node/endpoint.js';
import { sameNode } from '../node/identity.js';
import type { NodeTls } from '../node/tls.js';
import type { NodeTlsParts } from './compose-node-tls.js';

export class OwnAccess implements ConfiguredAccess {
  readonly tls: ConfiguredAccess['tls'];
  readonly credentialsOf: ConfiguredAccess['credentialsOf'];
  readonly #started: readonly NodeConfig[];
  #nodes: readonly NodeConfig[];
  #login: Login;
  #sentinelLogin: Login;
  readonly #sentinelTls: NodeTls | undefined;

  /** @param config that the proxy was started with @param tls what is used with nodes and Sentinels that speak it */
  constructor(config: Config, { credentialsOf, sentinels }: NodeTlsParts) {
    this.tls = { isOn: config.nodeTls, serverName: config.nodeTlsServerName };
    this.credentialsOf = credentialsOf;
    this.#sentinelTls = sentinels;
    this.#started = config.nodes;
    this.#nodes = config.nodes;
    this.#login = loginOf(config);
    this.#sentinelLogin = sentinelLoginOf(config);
  }

  get nodes(): readonly NodeConfig[] {
    return this.#nodes;
  }

  get login(): Login {
    return this.#login;
  }

  /** How Sentinels are spoken to. */
  get sentinels(): Speech {
    return { ...this.#sentinelLogin, tls: this.#sentinelTls };
  }

  /** Takes the logins of what was read anew, and nothing else. */
  use(read: Config): void {
    this.#nodes = withLogins(this.#started, read.nodes);
    this.#login = loginOf(read);
    this.#sentinelLogin = sentinelLoginOf(read);
  }
}

/** @returns nodes as they were, with the logins that they have now; of nodes that are new the logins alone */
function withLogins(started: readonly NodeConfig[], read: readonly NodeConfig[]): NodeConfig[] {
  const known = started.map((node) => {
    const { username, password } = read.find((other) => sameNode(other, node)) ?? {};
    return { ...node, username, password };
  });
  const further = read.filter((node) => !started.some((other) => sameNode(other, node)));
  return [
    ...known,
    ...further.map(({ name, address, weight, username, password }) => ({ name, address, weight, username, password })),
  ];
}

function loginOf({ nodeUsername, nodePassword, nodePasswordFile }: Config): Login {
  return { username: nodeUsername, password: nodePassword || firstLine(nodePasswordFile) };
}

function sentinelLoginOf({ sentinelUsername: username, sentinelPassword: password }: Config): Login {
  return { username, password };
}
