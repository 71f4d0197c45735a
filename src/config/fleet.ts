/** What the settings of a fleet come to, for those who use them. */
import { networkInterfaces } from 'node:os';
import { formatAddress, isLoopback, parseAddress } from '../node/address.js';
import { adminTokens } from './admin-tokens.js';
import { firstLine } from './first-line.js';
import type { Config } from './settings.js';

/** How etcd is reached, and what of it belongs to this ring. */
export interface EtcdAccess {
  /** Origins, such as `http://10.0.0.1:2379`; at least one. */
  readonly endpoints: readonly string[];
  /** Ends in a slash. */
  readonly prefix: string;
  readonly ringName: string;
  readonly login: { readonly user: string; readonly password: string } | null;
  /** Milliseconds. */
  readonly memberTtl: number;
}

/** @returns how the proxies of this ring agree, or null: this one is alone */
export function etcdAccess(config: Config): EtcdAccess | null {
  if (config.coordination === 'none') return null;
  const { etcdEndpoints: endpoints, etcdPrefix: prefix, ringName, memberTtl, etcdUser: user } = config;
  const login = user === '' ? null : { user, password: config.etcdPassword || firstLine(config.etcdPasswordFile) };
  return { endpoints, prefix, ringName, login, memberTtl };
}

/** What the proxies of a ring know each other by; empty: that they are on one machine. */
export function peerToken(config: Config): string {
  return config.peerToken || firstLine(config.peerTokenFile) || (adminTokens(config).admin[0]?.token ?? '');
}

/**
 * How other proxies reach this one's admin API.
 * @param served the URL that it is served at, with the port that was chosen for port 0
 * @param own addresses of this machine, for one that is served at all of them
 */
export function advertisedAdmin(config: Config, served: string, own: readonly string[] = machineAddresses()): string {
  if (config.advertiseAdmin !== '') return config.advertiseAdmin;
  const address = parseAddress(config.admin);
  if (address === null || 'path' in address) return '';
  const port = Number(new URL(served).port);
  const host = isEverywhere(address.host) ? (own[0] ?? '127.0.0.1') : address.host;
  return `${config.adminTls === 'on' ? 'https' : 'http'}://${formatAddress({ host, port })}`;
}

/** @returns what works, and may not be what was meant: a sentence each */
export function fleetWarnings(config: Config): string[] {
  if (config.coordination === 'none' && config.limitScope === 'fleet') {
    return ["limit-scope: 'fleet' is for proxies that know each other (coordination): this one counts for itself"];
  }
  if (config.coordination === 'none' || config.advertiseAdmin !== '') return [];
  const admin = parseAddress(config.admin);
  if (admin === null || !isLoopback(admin) || config.etcdEndpoints.every(isOnThisMachine)) return [];
  return [
    `other proxies reach the admin API at ${config.admin} only from this machine: where they run on others, serve it at an address of this machine (admin, admin-token), or set advertise-admin`,
  ];
}

/** Whether an address stands for all addresses of the machine. */
export function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** @returns addresses by which other machines reach this one; those of IPv6 only where there are no others */
export function machineAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !/^fe80:/i.test(address));
  const old = outside.filter(({ family }) => family === 'IPv4');
  return (old.length > 0 ? old : outside).map(({ address }) => address);
}

function isOnThisMachine(endpoint: string): boolean {
  const { hostname } = new URL(endpoint);
  return isLoopback({ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: 0 });
}
