/** What a viewer's token is good for, and for how long. */
import { describe, expect, it } from 'vitest';
import { Credentials } from '../../src/admin/access/credentials.js';
import { methodsOf, partsOf, routeRows } from '../../src/admin/routes/table.js';
import { serveAdmin } from './serve-admin.js';

const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

describe('a viewer', () => {
  it('may look at everything, and is told which token the rest needs', async () => {
    const { url, backend } = await serveAdmin({ token: 'all', viewer: 'look' });
    const refused: string[] = [];
    for (const [name, { needs }] of routeRows()) {
      const { method, path } = partsOf(name);
      if (path === '/v1/events') continue;
      const called = path.replace(/:\w+/g, 'x').replace('*', 'page.css');
      const body = method === 'GET' || method === 'DELETE' ? null : '{"dryRun":true}';
      const headers = {
        authorization: 'Bearer look',
        ...(body === null ? {} : { 'content-type': 'application/json' }),
      };
      const answer = await fetch(url + called, { method, headers, body });
      const text = await answer.text();
      expect([name, answer.status === 403]).toEqual([name, needs === 'admin']);
      if (answer.status !== 403) continue;
      refused.push(name);
      expect(JSON.parse(text)).toEqual({
        error: {
          code: 'FORBIDDEN',
          message: `${method} ${called} needs the token of admin-token, and was called with that of admin-viewer-token, which only looks`,
          hint: 'call it with admin-token',
        },
      });
    }
    // Whatever changes something is no GET, and no GET changes something.
    expect(refused).toEqual(routeRows().flatMap(([name]) => (name.startsWith('GET ') ? [] : [name])));
    expect(backend.calls.filter((call) => /^(pause|resume|cancel|throttle|forget|preview|\{)/.test(call))).toEqual([]);
  });

  it('hears events, and is called one', async () => {
    const { url } = await serveAdmin({ token: 'all', viewer: 'look' });
    const ended = new AbortController();
    const events = await fetch(`${url}/v1/events`, { ...bearer('look'), signal: ended.signal });
    expect(events.status).toBe(200);
    ended.abort();
    const who = async (token: string): Promise<unknown> => (await fetch(`${url}/v1/whoami`, bearer(token))).json();
    expect([await who('look'), await who('all')]).toEqual([{ role: 'viewer' }, { role: 'admin' }]);
    expect(await who('')).toMatchObject({ error: { code: 'UNAUTHORIZED' } });
    expect((await fetch(`${url}/metrics`, { ...bearer('look'), method: 'HEAD' })).status).toBe(200);
  });

  it('does not learn by 405 or 404 what there is without a token', async () => {
    const { url } = await serveAdmin({ token: 'all', viewer: 'look' });
    for (const path of ['/nope', '/v1/ring', '/v1/groups/x']) {
      expect((await fetch(url + path, { method: 'POST' })).status).toBe(401);
      expect((await fetch(url + path, { ...bearer('look'), method: 'POST' })).status).toBe(
        path === '/nope' ? 404 : 405,
      );
    }
  });
});

it('without any token everybody is an admin', async () => {
  const { url } = await serveAdmin();
  expect(await (await fetch(`${url}/v1/whoami`)).json()).toEqual({ role: 'admin' });
});

describe('tokens', () => {
  it('may be several, and are replaced while it serves', async () => {
    const { url, credentials } = await serveAdmin({ token: 'old', viewer: 'look' });
    const status = async (token: string): Promise<number> => (await fetch(`${url}/v1/ring`, bearer(token))).status;
    credentials.replace({ admin: ['old', 'new'], viewer: ['look'] });
    expect([await status('old'), await status('new'), await status('look')]).toEqual([200, 200, 200]);
    credentials.replace({ admin: ['new'], viewer: [] });
    expect([await status('old'), await status('new'), await status('look')]).toEqual([401, 200, 401]);
  });

  it('of two roles count for the greater one', () => {
    const credentials = new Credentials({ viewer: ['a', 'b'], admin: ['a'] });
    expect(['a', 'b', 'c', ''].map((token) => credentials.roleOf(token))).toEqual(['admin', 'viewer', null, null]);
  });
});

it('a path that has something else in it takes the same methods', () => {
  expect(methodsOf('/v1/groups/pages')).toEqual(['PUT', 'PATCH', 'DELETE']);
  expect(methodsOf('/v1/ring')).toEqual(['GET', 'HEAD']);
  expect(methodsOf('/v1/groups/a/b')).toEqual([]);
});
