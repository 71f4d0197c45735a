// Whether the proxy of this container is ready: by HTTPS or HTTP, whichever its admin API speaks. It asks itself, on
// loopback, and reads nothing that is secret: so it does not matter who has signed the certificate.
import http from 'node:http';
import https from 'node:https';

const TARGET = { host: '127.0.0.1', port: 6390, path: '/readyz', timeout: 2000, rejectUnauthorized: false };

function isReady({ get }) {
  return new Promise((resolve, reject) => {
    const asked = get(TARGET, (answer) => resolve(answer.statusCode === 200));
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
  });
}

const ready = await isReady(https)
  .catch(() => isReady(http))
  .catch(() => false);
process.exit(ready ? 0 : 1);
