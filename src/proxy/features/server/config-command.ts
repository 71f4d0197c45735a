/** CONFIG: the settings of the nodes as those of one server. */
import { decodeReply, type ReplyValue } from '../../../resp/decode.js';
import * as encode from '../../../resp/encode.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { Peers } from '../../peers/peers.js';
import { LATER } from '../../request/verdict.js';
import { isOwnSetting } from '../../route/administration.js';
import { askAnyNode } from '../../route/any-node.js';
import { NOT_READY } from '../../route/replies.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { argumentTexts } from '../../session/words.js';
import type { LocalCommand } from '../local-command.js';

/** Settings that are the proxy's, and not the nodes'. */
export interface OwnSettings {
  /** Bounds the table of keys that clients have read; 0: it is not bounded. */
  readonly boundKeys: (maxKeys: number) => void;
  /** Null: the proxy has no other processes. */
  readonly peers: Peers | null;
}

/**
 * What a CONFIG SET that the nodes have accepted means to the proxy itself: the table of keys that clients have read is
 * not the nodes' but the proxy's.
 * @returns does it; null: nothing
 */
export function ownPartOfSettings({ boundKeys, peers }: OwnSettings, framer: RequestFramer): (() => void) | null {
  const words = argumentTexts(framer);
  let maxKeys = Number.NaN;
  for (let i = 2; i + 1 < words.length; i += 2) {
    const value = words[i + 1] ?? '';
    if (words[i]?.toLowerCase() === 'tracking-table-max-keys' && /^\d{1,15}$/.test(value)) maxKeys = Number(value);
  }
  if (Number.isNaN(maxKeys)) return null;
  return () => {
    boundKeys(maxKeys);
    peers?.tell({ type: 'tracking-bound', maxKeys });
  };
}

/** The nodes' secrets are not the clients'. */
const SECRETS: ReadonlySet<string> = new Set([
  ...['requirepass', 'masterauth', 'masteruser', 'tls-key-file-pass', 'tls-client-key-file-pass'],
]);

/** CONFIG GET shows the settings of one node, but for its secrets, and the proxy's own address where that is asked for. */
export const configGet =
  (router: Router): LocalCommand =>
  (client, command, framer) => {
    if (router.snapshot === null) return router.refuse(client, command, NOT_READY);
    if (!router.bind(client)) return LATER;
    // The patterns; some are whole names.
    const asked = new Set(argumentTexts(framer).map((word) => word.toLowerCase()));
    return askAnyNode(router, client, framer, command, (asker, buffer, start, end) => {
      const value = decodeReply(buffer.subarray(start, end))?.value ?? null;
      const pairs = value instanceof Map ? [...value] : Array.isArray(value) ? pairsOf(value) : null;
      if (pairs === null) return null;
      return encode.map(
        pairs
          .filter(([name]) => asked.has(String(name)) || !isOwnSetting(String(name)))
          .map(([name, setting]) => [
            encode.bulk(bytesOf(name)),
            encode.bulk(shownValue(asker, String(name), setting)),
          ]),
        asker.kind.protocol,
      );
    });
  };

function shownValue({ localAddress }: ClientConnection, name: string, value: ReplyValue): string | Buffer {
  if (!isOwnSetting(name)) return SECRETS.has(name) ? '' : bytesOf(value);
  const colon = localAddress.lastIndexOf(':');
  if (name === 'port') return colon < 0 ? '0' : localAddress.slice(colon + 1);
  return name === 'bind' ? localAddress.slice(0, Math.max(0, colon)) : '';
}

function pairsOf(flat: readonly ReplyValue[]): [ReplyValue, ReplyValue][] {
  const pairs: [ReplyValue, ReplyValue][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([flat[i] ?? null, flat[i + 1] ?? null]);
  return pairs;
}

function bytesOf(value: ReplyValue): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(String(value));
}
