import type { ChangeRequest, RingView } from '../src/admin/api.js';
import { isWeight, WEIGHT_RULE } from '../src/config/node-limits.js';
import { parseNodeText } from '../src/config/node-text.js';
import { parseFlag } from '../src/config/units.js';
import { notAnAddress, parsePeerAddress, withoutScheme } from '../src/node/address.js';
import { formatPlace } from '../src/node/followed.js';
import { CliError } from './cli-error.js';
import { readNamedYaml } from './named-file.js';

/** What stands behind the weight is of servers that join: what the ring has of the others is not shown. */
interface Wanted {
  readonly name: string;
  readonly address: string;
  readonly weight: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly peerAddress?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly tlsServerName?: string | undefined;
}

/**
 * What has to change so that the ring is as the file says; null when it is like that already.
 * @throws CliError when the file cannot be understood
 */
export function applyRequest(view: RingView, file: string, flush: boolean | undefined): ChangeRequest | null {
  const wanted = readWanted(file);
  const find = (name: string): RingView['nodes'][number] | undefined => view.nodes.find((node) => node.name === name);
  const add = wanted.filter((node) => find(node.name) === undefined);
  const remove = view.nodes
    .filter((node) => !wanted.some((other) => other.name === node.name))
    .map((node) => node.name);
  const kept = wanted.filter((node) => find(node.name) !== undefined);
  const weights = kept
    .filter((node) => find(node.name)?.weight !== node.weight)
    .map(({ name, weight }) => ({ name, weight }));
  const replace = kept
    .filter((node) => find(node.name)?.address !== node.address)
    .map(({ weight: _weight, ...server }) => server);
  if (add.length + remove.length + weights.length + replace.length === 0) return null;
  return { kind: 'apply', add, remove, weights, replace, flush };
}

function readWanted(file: string): Wanted[] {
  const document = readNamedYaml(file);
  const nodes: unknown = typeof document === 'object' && document !== null ? Reflect.get(document, 'nodes') : undefined;
  if (!Array.isArray(nodes)) {
    throw new CliError(`${file} has no list of nodes`, 'expected nodes: [NAME=HOST:PORT*WEIGHT, …]', 2);
  }
  const wanted = nodes.map((entry: unknown) => readNode(entry, file));
  const twice = wanted.find(({ name }, index) => wanted.findIndex((node) => node.name === name) < index);
  if (twice === undefined) return wanted;
  throw new CliError(`${file}: node ${twice.name} is named twice`, 'name each node once', 2);
}

/** A node as it stands in the file, as text or as a map. */
function readNode(entry: unknown, file: string): Wanted {
  const given = typeof entry === 'string' ? parseNodeText(entry) : entry;
  const field = (name: string): unknown =>
    typeof given === 'object' && given !== null ? Reflect.get(given, name) : undefined;
  const [text, name, weight] = [field('address'), field('name'), field('weight') ?? 1];
  if (typeof text !== 'string') throw new CliError(`${file}: a node has no address`, 'expected NAME=HOST:PORT', 2);
  const { text: plain, tls: tlsOfScheme } = withoutScheme(text);
  const address = formatPlace(plain);
  if (address === null) {
    const { shown, expected } = notAnAddress(text);
    throw new CliError(`${file}: '${shown}' is not a node's address`, expected, 2);
  }
  if (typeof weight !== 'number' || !isWeight(weight)) {
    throw new CliError(`${file}: the weight of ${text} is not a number`, `expected ${WEIGHT_RULE}`, 2);
  }
  // YAML makes numbers of some texts, and changes them.
  if (name !== undefined && typeof name !== 'string') {
    throw new CliError(`${file}: the name of ${text} is not a text`, `put it in quotes: '${String(name)}'`, 2);
  }
  const texts = ['username', 'password', 'peer-address', 'tls-server-name'].map((key) => {
    const value = field(key);
    if (value === undefined || typeof value === 'string') return value;
    // Not what it is: it may be a password.
    throw new CliError(`${file}: the ${key} of ${text} is not a text`, 'put it in quotes', 2);
  });
  const [username, password, peerAddress, tlsServerName] = texts;
  if (peerAddress !== undefined && parsePeerAddress(withoutScheme(peerAddress).text) === null) {
    throw new CliError(`${file}: '${peerAddress}' is not a peer-address of ${text}`, 'expected HOST:PORT', 2);
  }
  const tls = readSwitch(field('tls'), `${file}: tls of ${text}`) ?? tlsOfScheme;
  return { name: name ?? address, address, weight, username, password, peerAddress, tls, tlsServerName };
}

/** @throws CliError when it is not on or off */
function readSwitch(value: unknown, what: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  const flag = typeof value === 'string' ? parseFlag(value) : null;
  if (flag !== null) return flag;
  throw new CliError(`${what} is '${String(value)}'`, 'expected on or off', 2);
}
