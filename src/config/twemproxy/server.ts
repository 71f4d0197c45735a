import { formatAddress, parseAddress } from '../../node/address.js';
import { isNodeName, MOST_WEIGHT, NODE_NAME_RULE } from '../node-limits.js';

export interface ImportedServer {
  /** What twemproxy makes the server's points of. */
  readonly name: string;
  readonly address: string;
  readonly weight: number;
}

/** The port that twemproxy leaves out of a server's name, as libmemcached does. */
const MEMCACHED_PORT = 11_211;
const FORM = 'expected host:port:weight name, or /path:weight name';

/**
 * Takes a server apart from its end, as nutcracker does (`conf_add_server`): the name behind the last blank, the weight
 * behind the last colon, the port behind the one before it. Without a name, it hashes the text in front of the weight;
 * of a Unix socket with the colon behind its path, and on memcached's port the host alone.
 * @returns what is wrong, in words, when it cannot be a node of a ring
 */
export function parseServer(text: string): ImportedServer | string {
  const isPath = text.startsWith('/');
  const [front, name] = cutBehind(text, ' ') ?? [text, null];
  const [place, weightText] = cutBehind(front, ':') ?? [];
  if (place === undefined || weightText === undefined) return `'${text}' is not a server: ${FORM}`;
  const weight = wholeNumber(weightText);
  if (weight === null) return `the weight of '${text}' is not a number: ${FORM}`;
  if (weight === 0) return `the weight of '${text}' is 0, which twemproxy refuses, too`;
  if (weight > MOST_WEIGHT)
    return `the weight of '${text}' is more than ${MOST_WEIGHT}: divide all weights by one number`;
  if (name === '')
    return `a blank stands at the end of '${text}': twemproxy makes the server's points of an empty name`;
  const found = isPath ? { address: place, name: `${place}:` } : hostAndPort(place);
  if (typeof found === 'string') return `'${text}' is not a server: ${found}`;
  const address = parseAddress(found.address);
  if (address === null) return `'${found.address}' is not an address that can be connected to`;
  const known = name ?? found.name;
  if (!isNodeName(known)) {
    return `the name '${known}' is not one for a node (${NODE_NAME_RULE}), and another name would move its keys`;
  }
  return { name: known, address: formatAddress(address), weight };
}

function hostAndPort(place: string): { name: string; address: string } | string {
  const [host, portText] = cutBehind(place, ':') ?? [];
  if (host === undefined || portText === undefined) return FORM;
  const port = wholeNumber(portText);
  if (port === null || port < 1 || port > 65_535) return `'${portText}' is not a port`;
  if (host === '') return 'it has no host';
  return { name: port === MEMCACHED_PORT ? host : place, address: `${bracketed(host)}:${port}` };
}

/** An IPv6 address stands without brackets in a nutcracker.yml. */
export function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** @returns what stands before the last `mark` and behind it, or null when there is none */
export function cutBehind(text: string, mark: string): [string, string] | null {
  const at = text.lastIndexOf(mark);
  return at < 0 ? null : [text.slice(0, at), text.slice(at + mark.length)];
}

/** @returns null unless the text consists of digits, as in `nc_atoi`; numbers beyond 2^31 wrap round there */
export function wholeNumber(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) : null;
}
