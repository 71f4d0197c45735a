/** Several proxies on one ring: where they agree, who this one is among them, and how they reach each other. */
import { z } from 'zod';
import { withoutLogin } from '../../node/address.js';
import { type Setting, WATCHED_FILE } from './setting.js';

/** As they are called: without a path, and without a login, which would show up in logs and messages. */
const endpoints: z.ZodType<readonly string[]> = z
  .union([z.string(), z.array(z.string())], { message: 'expected URLs, such as http://10.0.0.1:2379' })
  .transform((given, context) => {
    const texts = (typeof given === 'string' ? given.split(',') : given).map((text) => text.trim());
    const fail = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const found: string[] = [];
    for (const text of texts.filter((part) => part !== '')) {
      const url = httpUrl(text);
      if (url === null)
        return fail(`'${text}' is not the URL of an etcd: expected http://HOST:PORT or https://HOST:PORT`);
      if (url.username !== '' || url.password !== '') {
        return fail(`the URL of ${url.host} has a login: set etcd-user and etcd-password instead`);
      }
      if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
        return fail(`'${text}' has a path: expected ${url.origin}`);
      }
      if (found.includes(url.origin)) return fail(`${url.origin} is given twice`);
      found.push(url.origin);
    }
    return found;
  })
  .prefault([]);

const prefix = z
  .string({ message: 'expected a text' })
  .regex(/^[\w./~-]{1,200}$/, 'expected 1 to 200 letters, digits or any of / . _ ~ -')
  .transform((text) => (text.endsWith('/') ? text : `${text}/`))
  .prefault('/ringproxy/');

const ringName = z
  .string({ message: 'expected a text' })
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'expected 1 to 64 letters, digits or any of . _ -, a letter or digit first')
  .prefault('default');

const adminUrl = z
  .string({ message: 'expected a URL' })
  .transform((text, context) => {
    if (text === '') return '';
    const url = httpUrl(text);
    if (url !== null && url.origin === text.replace(/\/$/, '').toLowerCase()) return url.origin;
    context.addIssue({
      code: 'custom',
      message: `'${withoutLogin(text)}' is not such a URL: expected http://HOST:PORT`,
    });
    return z.NEVER;
  })
  .prefault('');

const peerToken = z
  .string({ message: 'expected a text' })
  .regex(/^[\x21-\x7e]*$/, 'expected visible ASCII characters, since it goes into a header')
  .prefault('');

export const FLEET_SETTINGS = {
  coordination: {
    path: 'coordination',
    type: 'choice',
    values: ['none', 'etcd'],
    default: 'none',
    help: 'where the proxies of one ring agree; none: this proxy is alone with its ring',
    flag: 'none|etcd',
  },
  etcdEndpoints: {
    path: 'etcd-endpoints',
    type: 'own',
    schema: endpoints,
    kind: 'URLs',
    default: '',
    help: 'where etcd is reached: http://HOST:PORT or https://HOST:PORT of its members, as a list or between commas',
    flag: 'URL[,URL]...',
  },
  etcdPrefix: {
    path: 'etcd-prefix',
    type: 'own',
    schema: prefix,
    kind: 'text',
    default: '/ringproxy/',
    help: 'what all keys in etcd begin with',
    flag: 'PREFIX',
  },
  ringName: {
    path: 'ring-name',
    type: 'own',
    schema: ringName,
    kind: 'text',
    default: 'default',
    help: 'which ring of those under the prefix; its proxies have the same name',
    flag: 'NAME',
  },
  etcdUser: { path: 'etcd-user', type: 'text', default: '', help: 'user at etcd; empty: none', flag: 'USER' },
  etcdPassword: {
    path: 'etcd-password',
    type: 'text',
    default: '',
    help: 'its password; everybody on this machine sees it as a flag: a file or the environment keeps it',
    flag: 'PASSWORD',
  },
  etcdPasswordFile: {
    path: 'etcd-password-file',
    type: 'file',
    help: 'file with the password of the user at etcd',
    flag: 'FILE',
  },
  etcdCa: {
    path: 'etcd-ca',
    ...WATCHED_FILE,
    help: "file with the certificates (PEM) that sign those of etcd; empty: the system's",
    flag: 'FILE',
  },
  etcdCert: {
    path: 'etcd-cert',
    ...WATCHED_FILE,
    help: 'file with the certificate (PEM) that this proxy shows etcd',
    flag: 'FILE',
  },
  etcdKey: { path: 'etcd-key', ...WATCHED_FILE, help: 'file with its private key (PEM)', flag: 'FILE' },
  consistency: {
    path: 'consistency',
    type: 'choice',
    values: ['strict', 'available'],
    default: 'strict',
    help: 'while etcd is out of reach, strict: new connections to nodes wait; available: they are used, and in return no proxy is ever passed automatically; fixed at the first start',
    flag: 'strict|available',
  },
  advertiseAdmin: {
    path: 'advertise-admin',
    type: 'own',
    schema: adminUrl,
    kind: 'URL',
    default: '',
    help: "how other proxies reach this one's admin API, http://HOST:PORT or, with admin-tls, https://HOST:PORT; empty: where it is served",
    flag: 'URL',
  },
  peerToken: {
    path: 'peer-token',
    type: 'own',
    schema: peerToken,
    kind: 'text',
    default: '',
    help: 'what the proxies of a ring know each other by, the same at all of them; empty: admin-token',
    flag: 'TOKEN',
  },
  peerTokenFile: { path: 'peer-token-file', type: 'file', help: 'file with the peer-token', flag: 'FILE' },
  memberTtl: {
    path: 'member-ttl',
    type: 'duration',
    least: '2s',
    most: '10m',
    default: '10s',
    help: 'how long a proxy counts as alive without a sign of it; it can be passed in a ring change after that',
    flag: 'DURATION',
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** @returns null: it is none, or not one that HTTP is spoken by */
function httpUrl(text: string): URL | null {
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) return null;
  return new URL(text);
}
