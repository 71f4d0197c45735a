/** Where something listens: a TCP port, or a Unix socket. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

export interface NodeText {
  readonly name?: string;
  readonly address: string;
  readonly weight?: number;
}

/** @returns the address that `HOST:PORT`, `[IPV6]:PORT`, `unix:/path` or `/path` names, or null */
export function parseAddress(text: string): Address | null {
  if (text.startsWith('/')) return { path: text };
  if (text.startsWith('unix:/')) return { path: text.slice('unix:'.length) };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]/]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  return port > 65_535 ? null : { host: match[1] ?? match[2] ?? '', port };
}

/** The one form in which an address is compared and shown. */
export function formatAddress(address: Address): string {
  if ('path' in address) return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/**
 * @param text `NAME=HOST:PORT*WEIGHT`, where the name and the weight may be left out
 * @returns null when it has not this form
 */
export function parseNodeText(text: string): NodeText | null {
  const match = /^(?:([^=]+)=)?(.+?)(?:\*(\d+))?$/.exec(text.trim());
  if (match === null) return null;
  const [, name, address = '', weight] = match;
  return {
    address,
    ...(name === undefined ? {} : { name }),
    ...(weight === undefined ? {} : { weight: Number(weight) }),
  };
}

/** Whether only this machine can reach the address. */
export function isLoopback(address: Address): boolean {
  if ('path' in address) return true;
  const { host } = address;
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
