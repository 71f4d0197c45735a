/** The nodes of the first generation, how to log in at nodes, and how they are looked after. */
import { z } from 'zod';
import type { NodeAccess } from '../../node/access.js';
import { formatAddress, parseAddress, parsePeerAddress } from '../../node/address.js';
import { FOLLOWED_FORMS, formatPlace, looksFollowed, parseFollowed } from '../../node/followed.js';
import type { NodeIdentity } from '../../node/identity.js';
import { isNodeName, isWeight, NODE_NAME_RULE, WEIGHT_RULE } from '../node-limits.js';
import { parseNodeText } from '../node-text.js';
import { suggestion } from '../suggestion.js';
import type { Setting } from './setting.js';

export interface NodeConfig extends NodeIdentity, NodeAccess {
  readonly weight: number;
}

const WORDS = ['name', 'address', 'weight', 'username', 'password', 'peer-address'];

const nodeObject = z.looseObject({
  name: z.string().optional(),
  address: z.string().optional(),
  weight: z.coerce.number().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  'peer-address': z.string().optional(),
});

const node: z.ZodType<NodeConfig> = z
  .union([z.string(), nodeObject], { message: 'expected NAME=HOST:PORT*WEIGHT, or name, address and weight' })
  .transform((value, context) => {
    const given = typeof value === 'string' ? parseNodeText(value) : value;
    const fail = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    if (given === null) return fail(`'${String(value)}' is not NAME=HOST:PORT*WEIGHT`);
    const strange = typeof value === 'string' ? undefined : Object.keys(value).find((word) => !WORDS.includes(word));
    if (strange !== undefined) return fail(`a node has no '${strange}'${suggestion(strange, WORDS)}`);
    if (given.address === undefined) return fail('a node needs an address, HOST:PORT');
    const followed = parseFollowed(given.address);
    if (followed === null && looksFollowed(given.address))
      return fail(`'${given.address}' does not say where a master is: expected ${FOLLOWED_FORMS}`);
    const parsed = parseAddress(given.address);
    if (followed === null && parsed === null) return fail(`'${given.address}' is not an address: expected HOST:PORT`);
    if (parsed !== null && 'port' in parsed && parsed.port === 0)
      return fail(`'${given.address}' has port 0: a node needs a real port`);
    const address = formatPlace(given.address) ?? given.address;
    if (followed !== null && given.name === undefined) return fail(`${address} needs a name: NAME=${address}`);
    const name = given.name ?? address;
    if (!isNodeName(name)) return fail(`'${name}' is not a node name: ${NODE_NAME_RULE}`);
    const weight = given.weight ?? 1;
    if (!isWeight(weight)) {
      return fail(`weight ${weight} of node ${name}: expected a whole number from ${WEIGHT_RULE}`);
    }
    if (typeof value === 'string') return { name, address, weight };
    const { username, password, 'peer-address': peerText } = value;
    const peer = peerText === undefined ? undefined : parsePeerAddress(peerText);
    if (peer === null) return fail(`peer-address '${peerText}' of node ${name}: expected HOST:PORT`);
    if (peer !== undefined && followed !== null)
      return fail(`node ${name} is found where its master is, and has no peer-address`);
    const peerAddress = peer === undefined ? undefined : formatAddress(peer);
    return { name, address, weight, username, password, peerAddress };
  });

/** The setting `nodes`. */
export const nodes = z.array(node, { message: 'expected a list of nodes' }).prefault([]);

export const NODE_SETTINGS = {
  nodeUsername: {
    path: 'node-username',
    type: 'text',
    default: '',
    help: 'user at the nodes, where a node has none of its own',
  },
  nodePassword: {
    path: 'node-password',
    type: 'text',
    default: '',
    help: 'password at the nodes, where a node has none of its own',
  },
  sentinelUsername: {
    path: 'sentinel-username',
    type: 'text',
    default: '',
    help: 'user at the Sentinels of nodes that are a sentinel:// address',
  },
  sentinelPassword: {
    path: 'sentinel-password',
    type: 'text',
    default: '',
    help: 'password at the Sentinels of nodes that are a sentinel:// address',
  },
  probeInterval: {
    path: 'probe-interval',
    type: 'duration',
    least: '50ms',
    most: '1h',
    default: '1s',
    help: 'pause between two probes of a node',
  },
  probeTimeout: {
    path: 'probe-timeout',
    type: 'duration',
    least: '10ms',
    most: '1h',
    default: '1s',
    help: 'most time for a node to answer a probe',
  },
  probeFailures: {
    path: 'probe-failures',
    type: 'count',
    least: 1,
    most: 1000,
    default: 3,
    help: 'failed probes in a row after which a node is shown as down',
  },
  onNodeFailure: {
    path: 'on-node-failure',
    type: 'choice',
    values: ['error', 'eject'],
    default: 'error',
    help: 'what becomes of a node that is down: its keys are answered with an error until it is back, or it is taken out of the ring and comes back emptied',
  },
  ejectAfter: {
    path: 'eject-after',
    type: 'duration',
    least: '100ms',
    most: '24h',
    default: '30s',
    help: 'for how long a node must be down, for a majority of the live proxies, before it is ejected',
  },
  ejectMaxNodes: {
    path: 'eject-max-nodes',
    type: 'count',
    least: 1,
    most: 1024,
    default: 1,
    help: 'most nodes that are ejected at the same time; when more are down, none of them is',
  },
  minNodes: {
    path: 'min-nodes',
    type: 'count',
    least: 1,
    most: 1024,
    default: 1,
    help: 'least nodes that must go on serving when one is ejected',
  },
  rejoinAfter: {
    path: 'rejoin-after',
    type: 'duration',
    least: '100ms',
    most: '24h',
    default: '10s',
    help: 'for how long an ejected node must answer without a break before it comes back; twice as long each further time that it fails, one time is forgotten for each 10 minutes that it serves',
  },
  rejoinAfterMax: {
    path: 'rejoin-after-max',
    type: 'duration',
    least: '100ms',
    most: '24h',
    default: '30m',
    help: 'longest time that a node must answer before it comes back, however often it has failed',
  },
} as const satisfies Readonly<Record<string, Setting>>;
