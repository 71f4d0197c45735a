/** Where something listens, as text and taken apart: the one parser of addresses. */

/** A TCP port, or a Unix socket. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** @returns the address that `HOST:PORT`, `[IPV6]:PORT`, `unix:/path` or `/path` names, or null */
export function parseAddress(text: string): Address | null {
  if (text.startsWith('/')) return { path: text };
  if (text.startsWith('unix:/')) return { path: text.slice('unix:'.length) };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:@\s[\]/]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  return port > 65_535 ? null : { host: match[1] ?? match[2] ?? '', port };
}

/** Like `parseAddress`, of what can be connected to: not port 0, which picks a free one where somebody listens. */
export function parseNodeAddress(text: string): Address | null {
  const address = parseAddress(text);
  return address !== null && 'port' in address && address.port === 0 ? null : address;
}

/** An address, and whether TLS is spoken there, where its scheme says so. */
export interface AddressWithScheme {
  readonly text: string;
  /** `rediss://`: true, `redis://`: false, without one: undefined. */
  readonly tls: boolean | undefined;
}

/** Takes off a scheme as clients write it, `rediss://HOST:PORT`: the rest is to be an address. */
export function withoutScheme(text: string): AddressWithScheme {
  const match = /^(rediss?):\/\/([^/]*)\/?$/i.exec(text);
  if (match === null) return { text, tls: undefined };
  return { text: match[2] ?? '', tls: match[1]?.toLowerCase() === 'rediss' };
}

/**
 * What may be shown of a text that is to be an address, and is none: many write `redis://user:password@HOST:PORT`.
 * @returns the text with `***` for a login
 */
export function withoutLogin(text: string): string {
  return text.replace(/^((?:[^=/]*=)?(?:\w+:\/\/)?).*@/s, '$1***@');
}

/**
 * What is said of a text that is to be the address of a node, and is none: a login is shown nowhere, and its place is named.
 * @returns the text as it may be shown, and what was expected instead
 */
export function notAnAddress(text: string): { readonly shown: string; readonly expected: string } {
  const shown = withoutLogin(text);
  const login = shown === text ? '' : ', and username and password beside it';
  return { shown, expected: `expected HOST:PORT${login}` };
}

/** Like `parseNodeAddress`, of what other nodes can connect to: a node connects to none by a Unix socket. */
export function parsePeerAddress(text: string): { readonly host: string; readonly port: number } | null {
  const address = parseNodeAddress(text);
  return address === null || 'path' in address ? null : address;
}

/** The one form in which an address is compared and shown. */
export function formatAddress(address: Address): string {
  if ('path' in address) return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Whether only this machine can reach the address. */
export function isLoopback(address: Address): boolean {
  if ('path' in address) return true;
  const { host } = address;
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
