/** Who a client is by its certificate (`tls-client-user: cn`), attacked: names that look like others, and what comes behind. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Authority, type Certificate, hasOpenssl } from '../../support/certificates.js';
import { RawClient } from '../../support/raw-client.js';
import { startRedises } from '../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { tempFolder } from '../../support/temp-folder.js';

const USERS = `tls-client-user: cn
users:
  default: "on >d ~* &* +@all"
  shop: "on >s ~* &* +@all"
  off: "off ~* &* +@all"
  "a,b": "on ~* &* +@all"
  "caf\u00e9": "on ~* &* +@all"
`;

const whoAmI = (name: string): string => `$${Buffer.byteLength(name)}\r\n${Buffer.from(name).toString('latin1')}\r\n`;
const NOBODY = /^-NOAUTH /;

describe.skipIf(!hasOpenssl).each([1, 2])('a certificate, with %i workers', (workers) => {
  const authority = new Authority('authority');
  const issue = (file: string, subject: string): Certificate => authority.issue(file, ['clientAuth'], { subject });
  let proxy: RingproxyProcess;
  let configure: (text: string) => void;

  beforeAll(async () => {
    const server = authority.issue('server', ['serverAuth']);
    const file = join(tempFolder('certificate-users'), 'ringproxy.yaml');
    configure = (text) => writeFileSync(file, USERS + text);
    configure('user-limits: { shop: { max-clients: 2 } }\n');
    const tls = ['--tls-listen', '127.0.0.1:0', '--tls-cert', server.certFile, '--tls-key', server.keyFile];
    const asks = ['--tls-ca', authority.file, '--tls-client-auth', 'optional'];
    const args = ['-c', file, '--workers', String(workers), ...tls, ...asks];
    proxy = await startRingproxy({
      nodes: await startRedises(1),
      args,
      allowLog: [/max-clients-per-user|no TLS with client|could not log in/],
    });
  });

  const come = (shown?: Certificate): Promise<RawClient> => {
    const options = { port: proxy.tlsPort, ca: authority.cert };
    return RawClient.secure(shown === undefined ? options : { ...options, cert: shown.cert, key: shown.key });
  };

  it('names one user, letter by letter, and nobody where it names several, none, or one that is off', async () => {
    const shown: [string, Certificate, string | RegExp][] = [
      ['its own', issue('own', '/CN=shop'), whoAmI('shop')],
      ['with other attributes', issue('more', '/O=off/CN=shop/emailAddress=off'), whoAmI('shop')],
      ['a comma', issue('comma', '/CN=a,b'), whoAmI('a,b')],
      ['UTF-8', issue('utf', '/CN=caf\u00e9'), whoAmI('caf\u00e9')],
      ['the user default', issue('default', '/CN=default'), whoAmI('default')],
      ['letters put together otherwise', issue('nfd', '/CN=cafe\u0301'), NOBODY],
      ['an unknown one', issue('unknown', '/CN=nobody'), NOBODY],
      ['one that is off', issue('off', '/CN=off'), NOBODY],
      ['capitals', issue('capitals', '/CN=SHOP'), NOBODY],
      ['a blank behind', issue('blank', '/CN=shop '), NOBODY],
      ['a comma and more', issue('list', '/CN=shop,off'), NOBODY],
      ['two names', issue('two', '/CN=shop/CN=a,b'), NOBODY],
      ['the same twice', issue('twice', '/CN=shop/CN=shop'), NOBODY],
      ['a name in another attribute', issue('unit', '/O=shop/OU=shop'), NOBODY],
      ['an end in the middle', authority.withBytes(issue('nul', '/CN=shopXevil'), 'shopXevil', 'shop\0evil'), NOBODY],
      ['a line break', authority.withBytes(issue('line', '/CN=shopX'), 'shopX', 'shop\n'), NOBODY],
    ];
    for (const [what, certificate, user] of shown) {
      const client = await come(certificate);
      expect(await client.text('ACL', 'WHOAMI'), what).toMatch(
        user instanceof RegExp ? user : new RegExp(`^\\${user}$`),
      );
      client.close();
    }
    expect(await (await come()).text('ACL', 'WHOAMI')).toMatch(NOBODY);
    // Who comes without TLS shows nothing.
    expect(await (await RawClient.connect(proxy.port)).text('ACL', 'WHOAMI')).toMatch(NOBODY);
    const stranger = new Authority('authority').issue('shop', ['clientAuth']);
    await expect(come(stranger).then((client) => client.text('ACL', 'WHOAMI'))).resolves.toMatch(/^-DENIED /);
  });

  it('is counted among the clients of its user, and what it becomes afterwards is not by it', async () => {
    const own = issue('counted', '/CN=shop');
    // Those of before may count for a moment.
    await expect.poll(async () => (await come(own)).text('PING').catch(() => 'closed')).toBe('+PONG\r\n');
    const other = await RawClient.connect(proxy.port);
    await expect.poll(() => other.text('AUTH', 'shop', 's')).toBe('+OK\r\n');
    const third = await come(own);
    expect(await third.text('PING').catch(() => 'closed')).toMatch(/^-ERR max number of clients of this user reached/);
    // RESET takes the user away, and nothing brings it back but its password, or another connection.
    expect(await other.text('RESET')).toBe('+RESET\r\n');
    let last = other;
    await expect
      .poll(async () => {
        last = await come(own);
        return last.text('ACL', 'WHOAMI').catch(() => 'closed');
      })
      .toBe(whoAmI('shop'));
    expect(await last.text('RESET')).toBe('+RESET\r\n');
    expect(await last.text('ACL', 'WHOAMI')).toMatch(NOBODY);
    expect(await last.text('HELLO', '3')).toMatch(NOBODY);
    expect(await last.text('AUTH', 'shop', 'wrong')).toMatch(/^-WRONGPASS/);
    expect(await last.text('AUTH', 'certificate')).toMatch(/^-WRONGPASS/);
    expect(await last.text('AUTH', 'shop', 'certificate')).toMatch(/^-WRONGPASS/);
    expect(await last.text('AUTH', 'default', 'd')).toBe('+OK\r\n');
    const wasThere = await come(issue('gone', '/CN=a,b'));
    expect(await wasThere.text('ACL', 'WHOAMI')).toBe(whoAmI('a,b'));
    configure('user-limits: { shop: { max-clients: 1 } }\ncommands-per-user: 0\n');
    proxy.kill('SIGHUP');
    await proxy.logged(/user-limits in force/);
    expect(await wasThere.text('ACL', 'WHOAMI')).toBe(whoAmI('a,b'));
    expect(await last.text('ACL', 'WHOAMI')).toBe(whoAmI('default'));
  });
});
