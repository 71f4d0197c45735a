import { isLoopback, parseAddress } from '../node/address.js';
import { firstLine } from './first-line.js';
import { isEverywhere, machineAddresses, peerToken } from './fleet.js';
import type { Config } from './settings.js';

interface Mistake {
  readonly path: string;
  readonly message: string;
}

/**
 * What settings of a fleet say against each other.
 * @param own addresses of this machine
 */
export function fleetChecks(config: Config, own: () => readonly string[] = machineAddresses): Mistake[] {
  if (config.coordination === 'none') {
    if (config.etcdEndpoints.length === 0) return [];
    const message =
      'are given, and coordination is none: with several proxies that would lose writes; set coordination: etcd';
    return [{ path: 'etcd-endpoints', message }];
  }
  const mistakes: Mistake[] = [];
  if (config.etcdEndpoints.length === 0) {
    mistakes.push({ path: 'etcd-endpoints', message: 'coordination etcd needs one, such as http://10.0.0.1:2379' });
  }
  return [...mistakes, ...loginMistakes(config), ...tlsMistakes(config), ...reachMistakes(config, own)];
}

function loginMistakes(config: Config): Mistake[] {
  const mistakes: Mistake[] = [];
  const inFile = firstLine(config.etcdPasswordFile);
  if (config.etcdPasswordFile !== '' && inFile === '') {
    mistakes.push({ path: 'etcd-password-file', message: 'its first line is empty: it is to be the password' });
  }
  if (config.etcdPassword !== '' && inFile !== '') {
    mistakes.push({ path: 'etcd-password', message: 'stands in etcd-password-file, too: give one of the two' });
  }
  const hasPassword = config.etcdPassword !== '' || config.etcdPasswordFile !== '';
  if (config.etcdUser !== '' && !hasPassword) {
    mistakes.push({ path: 'etcd-user', message: `${config.etcdUser} has no password: set etcd-password-file` });
  }
  if (config.etcdUser === '' && hasPassword) {
    mistakes.push({ path: 'etcd-user', message: 'there is a password for etcd, and no user' });
  }
  const token = firstLine(config.peerTokenFile);
  if (config.peerTokenFile !== '' && !/^[\x21-\x7e]+$/.test(token)) {
    mistakes.push({ path: 'peer-token-file', message: 'its first line is to be the token: visible ASCII characters' });
  }
  if (config.peerToken !== '' && token !== '') {
    mistakes.push({ path: 'peer-token', message: 'stands in peer-token-file, too: give one of the two' });
  }
  return mistakes;
}

/** What they hold is looked at with the other files of certificates (`tls.ts`). */
function tlsMistakes({ etcdEndpoints, etcdCa: ca, etcdCert: cert, etcdKey: key }: Config): Mistake[] {
  const mistakes: Mistake[] = [];
  const given = [ca === '' ? [] : ['etcd-ca'], cert === '' ? [] : ['etcd-cert'], key === '' ? [] : ['etcd-key']].flat();
  const [first] = given;
  if (first !== undefined && etcdEndpoints.length > 0 && !etcdEndpoints.some((url) => url.startsWith('https:'))) {
    mistakes.push({ path: first, message: 'is for TLS, and none of etcd-endpoints begins with https://' });
  }
  if (cert !== '' && key === '') mistakes.push({ path: 'etcd-key', message: 'etcd-cert needs its private key, too' });
  if (cert === '' && key !== '') mistakes.push({ path: 'etcd-cert', message: 'etcd-key needs its certificate, too' });
  return mistakes;
}

/** How the other proxies reach this one: rings change only when all of them can. */
function reachMistakes(config: Config, own: () => readonly string[]): Mistake[] {
  if (config.admin === 'off') {
    return [{ path: 'admin', message: 'is off: the proxies of a fleet reach each other by it; give it an address' }];
  }
  const address = parseAddress(config.admin);
  if (address === null) return [];
  if (config.advertiseAdmin !== '') {
    const hasToken = peerToken(config) !== '';
    const { hostname } = new URL(config.advertiseAdmin);
    if (hasToken || isLoopback({ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: 0 })) return [];
    return [
      {
        path: 'advertise-admin',
        message: `${config.advertiseAdmin} can be reached from other machines: set peer-token, the same at all proxies of the ring`,
      },
    ];
  }
  if ('path' in address) {
    return [{ path: 'admin', message: 'is a Unix socket, which other proxies cannot reach: set advertise-admin' }];
  }
  if (!isEverywhere(address.host)) return [];
  const addresses = own();
  if (addresses.length <= 1) return [];
  return [
    {
      path: 'admin',
      message: `${config.admin} stands for several addresses (${addresses.join(', ')}): say by which one other proxies reach it, such as advertise-admin http://${addresses[0]}:${address.port === 0 ? 'PORT' : address.port}`,
    },
  ];
}
