/** Programs that end TLS in front of a plain proxy, each with one thread, as the proxy has one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../support/certificates.js';
import { startChild } from '../support/child.js';
import { freePort } from '../support/free-port.js';
import { tempFolder } from '../support/temp-folder.js';
import { untilConnectable } from '../support/until-connectable.js';

export interface Terminating {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<unknown>;
}

/** @param to the port that it passes on to */
export type Terminator = (to: number, certificate: Certificate) => Promise<Terminating>;

export const haproxy: Terminator = async (to, { cert, key }) => {
  const [port, folder] = [await freePort(), tempFolder('haproxy')];
  const [pem, config] = [join(folder, 'server.pem'), join(folder, 'haproxy.cfg')];
  writeFileSync(pem, cert + key);
  const lines = [
    ...['global', ' nbthread 1', ' maxconn 4096', 'defaults', ' mode tcp', ' timeout connect 5s', ' timeout client 1h'],
    ...[' timeout server 1h', 'frontend clients', ` bind 127.0.0.1:${port} ssl crt ${pem}`, ' default_backend proxy'],
    ...['backend proxy', ` server proxy 127.0.0.1:${to}`, ''],
  ];
  writeFileSync(config, lines.join('\n'));
  const child = await startChild('haproxy', ['-db', '-f', config]);
  await untilConnectable(port, child, () => child.stderr.join('\n'));
  return { name: 'HAProxy', port, pid: child.pid, stop: () => child.kill() };
};

export const stunnel: Terminator = async (to, { cert, key }) => {
  const [port, folder] = [await freePort(), tempFolder('stunnel')];
  const [pem, config, log] = [join(folder, 'server.pem'), join(folder, 'stunnel.conf'), join(folder, 'stunnel.log')];
  writeFileSync(pem, cert + key, { mode: 0o600 });
  const lines = [
    ...['foreground = yes', 'pid =', `output = ${log}`, 'debug = err', 'socket = l:TCP_NODELAY=1'],
    ...['socket = r:TCP_NODELAY=1', '[redis]', `accept = 127.0.0.1:${port}`, `connect = 127.0.0.1:${to}`],
    ...[`cert = ${pem}`, ''],
  ];
  writeFileSync(config, lines.join('\n'));
  const child = await startChild('stunnel', [config]);
  await untilConnectable(port, child, () => readFileSync(log, 'utf8'));
  return { name: 'stunnel', port, pid: child.pid, stop: () => child.kill() };
};
