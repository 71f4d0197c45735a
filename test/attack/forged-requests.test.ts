/** A page in an operator's browser calls the admin API of a proxy that wants no token: by a name of its own (DNS rebinding), or unasked. */
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { partsOf, type RouteName, routeRows } from '../../src/admin/routes/table.js';
import { type ServedAdmin, serveAdmin } from '../admin/serve-admin.js';

interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

function send({ url }: ServedAdmin, method: string, path: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, path, headers }, (answer) => {
      let body = '';
      answer.setEncoding('latin1').on('data', (chunk: string) => {
        body += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.rawHeaders.join('\n'), body }));
    });
    sent.on('error', reject).end();
  });
}

/** All that asks for a role. */
const GUARDED: readonly RouteName[] = routeRows().flatMap(([name, { needs }]) =>
  needs === 'nobody' || needs === 'peer' ? [] : [name],
);

const pathOf = (name: RouteName): string => partsOf(name).path.replace(/:\w+/g, 'x');

describe('a page elsewhere', () => {
  it.each([
    'evil.example',
    'evil.example:6390',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '127.0.0.1@evil.example',
    '[::1].evil.example',
    '10.0.0.1',
    '0.0.0.0',
  ])('reaches nothing by the name %s', async (host) => {
    const served = await serveAdmin();
    for (const name of GUARDED) {
      const answer = await send(served, partsOf(name).method, pathOf(name), { host });
      expect([name, answer.status]).toEqual([name, 403]);
      expect(answer.body).toContain('BAD_HOST');
    }
    expect(served.backend.calls).toEqual([]);
    expect(served.audit.refused.get('BAD_HOST')).toBe(GUARDED.length);
  });

  it.each(['http://evil.example', 'null', 'http://127.0.0.1', 'http://localhost:1', 'file://', ''])(
    'changes nothing from the origin %o',
    async (origin) => {
      const served = await serveAdmin();
      for (const name of GUARDED.filter((route) => !route.startsWith('GET '))) {
        const answer = await send(served, partsOf(name).method, pathOf(name), { origin });
        expect([name, answer.status]).toEqual([name, 403]);
        expect(answer.body).toContain('BAD_ORIGIN');
      }
      expect(served.backend.calls).toEqual([]);
    },
  );

  it('is not allowed by CORS, whatever it asks for first', async () => {
    const served = await serveAdmin();
    for (const path of ['/v1/ring', '/v1/ring/changes', '/']) {
      const headers = { origin: 'http://evil.example', 'access-control-request-method': 'POST' };
      for (const method of ['OPTIONS', 'GET']) {
        const answer = await send(served, method, path, headers);
        expect(answer.headers.toLowerCase()).not.toContain('access-control-');
      }
    }
  });
});

it('what stands in a URL becomes no header of the answer, and no line', async () => {
  const served = await serveAdmin();
  const evil = '%0d%0aset-cookie:%20a=b%0d%0a%0d%0a%3Cscript%3Ealert(1)%3C/script%3E';
  for (const path of [`/${evil}`, `/page/${evil}`, `/v1/ring/which?key=${evil}`]) {
    const answer = await send(served, 'GET', path, {});
    expect(answer.headers.toLowerCase()).not.toContain('set-cookie');
    expect(answer.headers).not.toMatch(/text\/html/);
    expect(answer.body).not.toContain('\n');
    expect(answer.body).not.toContain('<script>');
  }
});
