// Gives etcd its users: root, and one for the proxies who has the keys of the ring. From then on nobody else is let in.
// Once: an etcd that has them stays as it is.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

const { ETCD = 'https://etcd:2379', TLS = '/tls', ROOT_PASSWORD = '', RING_PASSWORD = '' } = process.env;
const tls = {
  ca: readFileSync(`${TLS}/ca.crt`),
  cert: readFileSync(`${TLS}/etcd.crt`),
  key: readFileSync(`${TLS}/etcd.key`),
};

/** A call of etcd's JSON gateway. @returns its status and what it says */
function call(path, body) {
  return new Promise((resolve, reject) => {
    const asked = request(`${ETCD}/v3/auth/${path}`, { ...tls, method: 'POST', timeout: 5000 }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ ok: answer.statusCode === 200, text }));
    });
    asked.on('timeout', () => asked.destroy(new Error('etcd does not answer')));
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}

const base64 = (text) => Buffer.from(text).toString('base64');
if ((await call('authenticate', { name: 'root', password: ROOT_PASSWORD })).ok) {
  console.log('etcd has its users');
} else {
  // Everything below the prefix: up to, and without, the next text of its length.
  const perm = { permType: 'READWRITE', key: base64('/ringproxy/'), range_end: base64('/ringproxy0') };
  for (const [path, body] of [
    ['role/add', { name: 'root' }],
    ['user/add', { name: 'root', password: ROOT_PASSWORD }],
    ['user/grant', { user: 'root', role: 'root' }],
    ['role/add', { name: 'ringproxy' }],
    ['role/grant', { name: 'ringproxy', perm }],
    ['user/add', { name: 'ringproxy', password: RING_PASSWORD }],
    ['user/grant', { user: 'ringproxy', role: 'ringproxy' }],
    ['enable', {}],
  ]) {
    const { ok, text } = await call(path, body);
    // One that was begun and did not come to its end is gone on with.
    if (!ok && !/already exists/.test(text)) throw new Error(`${path}: ${text}`);
  }
  console.log('etcd has its users now');
}
