/**
 * What a node answers to a part of a command over several nodes since it cannot do its work: it is out of memory, a replica,
 * loads its keys. A Redis says so without its name, and the client has sent the command to no node that it knows.
 */
import { MINUS } from '../../resp/bytes.js';
import { error as encodeError } from '../../resp/encode.js';
import type { TroubleCode } from '../upstream/trouble.js';

const SPACE = 0x20;

/** By the error's code: what an operator may do. */
const REMEDIES: Readonly<Record<TroubleCode | 'BUSY', string>> = {
  OOM: 'give it more maxmemory, or an eviction policy',
  READONLY: 'it is a replica: the ring needs its primary',
  MISCONF: 'it cannot write its files: see its log and its disk',
  LOADING: 'it loads its keys: try again when it has',
  BUSY: 'it runs a script: try again when that has ended',
  NOPERM: 'its user lacks a right: ringproxy node check says which',
  NOAUTH: 'it wants a password: ringproxy node check says more',
  MASTERDOWN: 'it is a replica without its primary: the ring needs the primary',
  NOREPLICAS: 'it has too few replicas (min-replicas-to-write)',
};

/** Whether a node says in its reply that it cannot do its work: Redis says so as a command is queued, and not when it runs. */
export function isRefusal(reply: Buffer): boolean {
  return codeIn(reply) !== null;
}

/** @returns the code of such an error; null: the reply is none */
function codeIn(reply: Buffer): keyof typeof REMEDIES | null {
  if (reply[0] !== MINUS) return null;
  const space = reply.indexOf(SPACE);
  const code = reply.toString('latin1', 1, space < 0 ? reply.length - 2 : space);
  return isKnown(code) ? code : null;
}

function isKnown(code: string): code is keyof typeof REMEDIES {
  return Object.hasOwn(REMEDIES, code);
}

/** Of a key that is named. Bytes. */
const MOST_SHOWN = 64;

/**
 * @param reply what the node has answered, whole
 * @param node the node's name and address
 * @param keys those of the command that are on this node
 * @returns it with the node, the first key and what to do; what is about the command itself (`WRONGTYPE`) as it is
 */
export function refusalOf(
  reply: Buffer,
  node: { readonly name: string; readonly address: string },
  command: string,
  keys: readonly Buffer[],
): Buffer {
  const code = codeIn(reply);
  if (code === null) return reply;
  const why = reply.toString('latin1', code.length + 2, reply.length - 2).replace(/\.+$/, '');
  const name = command.toUpperCase().replace('|', ' ');
  return encodeError(
    `${code} node ${node.name} (${node.address})${having(keys)} refuses its part of ${name}: ${why}; ${REMEDIES[code]}`,
  );
}

function having(keys: readonly Buffer[]): string {
  const [first] = keys;
  if (first === undefined) return '';
  const shown = first
    .toString('latin1', 0, MOST_SHOWN)
    .replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const others = keys.length > 1 ? ` and ${keys.length - 1} more` : '';
  return `, which has ${shown}${first.length > MOST_SHOWN ? '…' : ''}${others},`;
}
