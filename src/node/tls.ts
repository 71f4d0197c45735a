/**
 * TLS with nodes: by what this proxy trusts them, what it shows them of itself, and the sockets. Whatever is sent waits
 * until the node has shown a certificate that is trusted and bears its name.
 */
import net, { type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { checkServerIdentity, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { NO_MATERIAL, secureOptions, type TlsMaterial, type TlsRules } from '../tls/material.js';

/**
 * What this process uses with nodes: connections that are opened from `use` on have what it was given, those that are
 * open go on.
 */
export class NodeCredentials {
  /** Tells it from the others of a proxy: the node's name that it is for, or empty: for all that have none of their own. */
  readonly id: string;
  readonly rules: TlsRules;
  #material: TlsMaterial;
  #context: SecureContext | null = null;

  /** @param material that was found good */
  constructor(id: string, material: TlsMaterial, rules: TlsRules) {
    this.id = id;
    this.rules = rules;
    this.#material = material;
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** @param material that was found good */
  use(material: TlsMaterial): void {
    this.#material = material;
    this.#context = null;
  }

  get context(): SecureContext {
    this.#context ??= createSecureContext(secureOptions(this.#material, this.rules));
    return this.#context;
  }
}

/** How a node is spoken to by TLS. */
export interface NodeTls {
  /** Name or IP address that its certificate must bear; empty: the host of its address. */
  readonly serverName: string;
  readonly credentials: NodeCredentials;
  /** Whose certificates are good: those that are signed and bear the name, unless it says otherwise. */
  readonly trusts?: 'anybody';
}

/** Shows nothing, and takes whatever certificate: it tells whether TLS is spoken, and carries nothing. */
export function trustingAnybody(): NodeTls {
  const credentials = new NodeCredentials('', NO_MATERIAL, { minVersion: 'TLSv1.2', ciphers: '' });
  return { serverName: '', credentials, trusts: 'anybody' };
}

export interface TlsTarget {
  readonly host: string;
  readonly port: number;
  readonly lookup: LookupFunction;
  readonly onread?: OnReadOpts;
}

/** Begins to connect; `secureConnect` follows when the node's certificate was found good, `error` when it was not. */
export function openTlsSocket({ serverName, credentials, trusts }: NodeTls, target: TlsTarget): TLSSocket {
  const name = serverName === '' ? target.host : serverName;
  const socket = connect({
    ...target,
    // An address is no server name in the handshake (RFC 6066).
    ...(net.isIP(name) === 0 ? { servername: name } : {}),
    secureContext: credentials.context,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: trusts !== 'anybody',
  });
  socket.setNoDelay(true);
  return socket;
}

/** Whether the socket speaks TLS: what it carries must not go past it. */
export function isTls(socket: Socket): socket is TLSSocket {
  return 'encrypted' in socket;
}

/** Calls `open` when the socket carries what is written to it: the node has been found to be the right one. */
export function onceOpen(socket: Socket, open: () => void): () => void {
  const event = isTls(socket) ? 'secureConnect' : 'connect';
  socket.once(event, open);
  return () => socket.off(event, open);
}
