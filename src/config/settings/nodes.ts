/** The nodes of the first generation, how to log in at nodes, and how they are looked after. */
import { z } from 'zod';
import type { NodeAccess } from '../../node/access.js';
import {
  formatAddress,
  notAnAddress,
  parseAddress,
  parsePeerAddress,
  withoutLogin,
  withoutScheme,
} from '../../node/address.js';
import { FOLLOWED_FORMS, formatPlace, looksFollowed, parseFollowed } from '../../node/followed.js';
import type { NodeIdentity } from '../../node/identity.js';
import type { TlsFiles } from '../../tls/material.js';
import { firstLine } from '../first-line.js';
import { isNodeName, isWeight, NODE_NAME_RULE, WEIGHT_RULE } from '../node-limits.js';
import { parseNodeText } from '../node-text.js';
import { suggestion } from '../suggestion.js';
import { FLAG_WORDS, parseFlag } from '../units.js';
import { namedFile, type Setting, WATCHED_FILE } from './setting.js';

export interface NodeConfig extends NodeIdentity, NodeAccess {
  readonly weight: number;
  /** What this proxy uses with it by TLS, instead of what is used with all nodes. */
  readonly files?: TlsFiles | undefined;
}

const WORDS = [
  ...['name', 'address', 'weight', 'username', 'password', 'password-file', 'peer-address'],
  ...['tls', 'tls-server-name', 'tls-ca', 'tls-cert', 'tls-key'],
];

const nodeObject = z.looseObject({
  name: z.string().optional(),
  address: z.string().optional(),
  weight: z.coerce.number().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  'password-file': z.string().optional(),
  'peer-address': z.string().optional(),
  tls: z
    .union([z.boolean(), z.enum(FLAG_WORDS)], { message: 'tls: expected on or off' })
    .transform((value) => (typeof value === 'boolean' ? value : parseFlag(value) === true))
    .optional(),
  'tls-server-name': z.string().optional(),
  'tls-ca': z.string().optional(),
  'tls-cert': z.string().optional(),
  'tls-key': z.string().optional(),
});

const node: z.ZodType<NodeConfig> = z
  .union([z.string(), nodeObject], { message: 'expected NAME=HOST:PORT*WEIGHT, or name, address and weight' })
  .transform((value, context) => {
    const given = typeof value === 'string' ? parseNodeText(value) : value;
    const fail = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    if (given === null) return fail(`'${withoutLogin(String(value))}' is not NAME=HOST:PORT*WEIGHT`);
    const strange = typeof value === 'string' ? undefined : Object.keys(value).find((word) => !WORDS.includes(word));
    if (strange !== undefined) return fail(`a node has no '${strange}'${suggestion(strange, WORDS)}`);
    if (given.address === undefined) return fail('a node needs an address, HOST:PORT');
    const { text, tls: tlsOfScheme } = withoutScheme(given.address);
    const followed = parseFollowed(text);
    if (followed === null && looksFollowed(text))
      return fail(
        `'${withoutLogin(given.address)}' does not say where a master is: expected ${FOLLOWED_FORMS}, no server twice`,
      );
    const parsed = parseAddress(text);
    if (followed === null && parsed === null) {
      const { shown, expected } = notAnAddress(given.address);
      return fail(`'${shown}' is not an address: ${expected}`);
    }
    if (parsed !== null && 'port' in parsed && parsed.port === 0)
      return fail(`'${given.address}' has port 0: a node needs a real port`);
    const address = formatPlace(text) ?? text;
    if (followed !== null && given.name === undefined) return fail(`${address} needs a name: NAME=${address}`);
    const name = given.name ?? address;
    if (!isNodeName(name)) return fail(`'${name}' is not a node name: ${NODE_NAME_RULE}`);
    const weight = given.weight ?? 1;
    if (!isWeight(weight)) {
      return fail(`weight ${weight} of node ${name}: expected a whole number from ${WEIGHT_RULE}`);
    }
    if (typeof value === 'string') return { name, address, weight, tls: tlsOfScheme };
    const {
      username,
      'password-file': inFile,
      'peer-address': peerText,
      tls: told,
      'tls-server-name': tlsServerName,
    } = value;
    const read = inFile === undefined ? undefined : namedFile.safeParse(inFile);
    if (read?.success === false) return fail(`password-file of node ${name}: ${read.error.issues[0]?.message}`);
    const fromFile = read === undefined ? undefined : firstLine(read.data);
    if (fromFile === '')
      return fail(`password-file of node ${name}: its first line is empty: it is to be the password`);
    if (fromFile !== undefined && value.password !== undefined)
      return fail(`password of node ${name} stands in password-file, too: give one of the two`);
    const password = value.password ?? fromFile;
    if (told !== undefined && tlsOfScheme !== undefined && told !== tlsOfScheme) {
      return fail(`node ${name}: ${given.address} and tls: ${told ? 'on' : 'off'} say two things`);
    }
    const tls = told ?? tlsOfScheme;
    if (tls === true && parsed !== null && 'path' in parsed)
      return fail(`node ${name}: a Unix socket is not spoken to by TLS`);
    const peerGiven = peerText === undefined ? undefined : withoutScheme(peerText);
    const peer = peerGiven === undefined ? undefined : parsePeerAddress(peerGiven.text);
    if (peer === null) return fail(`peer-address '${peerText}' of node ${name}: expected HOST:PORT`);
    if (peer !== undefined && followed !== null)
      return fail(`node ${name} is found where its master is, and has no peer-address`);
    const peerAddress = peer === undefined ? undefined : formatAddress(peer);
    const { 'tls-ca': ca = '', 'tls-cert': cert = '', 'tls-key': key = '' } = value;
    const files = ca === '' && cert === '' && key === '' ? undefined : { ca, cert, key };
    return {
      ...{ name, address, weight, username, password, peerAddress, peerTls: peerGiven?.tls },
      ...{ tls, tlsServerName, files },
    };
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
  nodePasswordFile: {
    path: 'node-password-file',
    type: 'file',
    help: 'file with the password at the nodes, instead of node-password; a node of its own has password-file',
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
  sentinelTls: {
    path: 'sentinel-tls',
    type: 'flag',
    default: false,
    help: 'whether Sentinels are spoken to by TLS',
  },
  sentinelTlsCa: {
    path: 'sentinel-tls-ca',
    ...WATCHED_FILE,
    help: 'file with the certificates (PEM) of the authorities that sign those of Sentinels; empty: those that Node.js brings',
  },
  sentinelTlsCert: {
    path: 'sentinel-tls-cert',
    ...WATCHED_FILE,
    help: 'file with the certificate (PEM) that this proxy shows Sentinels which want to see one',
  },
  sentinelTlsKey: { path: 'sentinel-tls-key', ...WATCHED_FILE, help: 'file with its private key (PEM)' },
  sentinelTlsServerName: {
    path: 'sentinel-tls-server-name',
    type: 'text',
    default: '',
    help: "name or IP address that Sentinels' certificates bear; empty: the host of each one's address",
  },
  nodeTls: {
    path: 'node-tls',
    type: 'flag',
    default: false,
    help: 'whether nodes are spoken to by TLS, where it is not said of a node (tls, or rediss:// in front of its address)',
  },
  nodeTlsCa: {
    path: 'node-tls-ca',
    ...WATCHED_FILE,
    help: 'file with the certificates (PEM) of the authorities that sign those of nodes; empty: those that Node.js brings',
  },
  nodeTlsCert: {
    path: 'node-tls-cert',
    ...WATCHED_FILE,
    help: 'file with the certificate (PEM) that this proxy shows nodes which want to see one',
  },
  nodeTlsKey: { path: 'node-tls-key', ...WATCHED_FILE, help: 'file with its private key (PEM)' },
  nodeTlsServerName: {
    path: 'node-tls-server-name',
    type: 'text',
    default: '',
    help: "name or IP address that nodes' certificates bear; empty: the host of each one's address",
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
  onNodeRestart: {
    path: 'on-node-restart',
    type: 'choice',
    values: ['empty', 'keep'],
    default: 'empty',
    help: 'with on-node-failure: eject, what becomes of a node that was restarted: it is emptied before it serves, or serves what it has, which may be of the past',
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
