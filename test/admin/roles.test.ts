/** What each role's token is good for, and for how long. */
import { describe, expect, it } from 'vitest';
import { Credentials } from '../../src/admin/access/credentials.js';
import { isEnough, ROLES, type Role } from '../../src/admin/access/roles.js';
import type { RouteRow } from '../../src/admin/routes/row.js';
import { methodsOf, partsOf, type RouteName, routeRows } from '../../src/admin/routes/table.js';
import { type ServedAdmin, serveAdmin } from './serve-admin.js';

const TOKENS = { token: 'all', operator: 'steer', viewer: 'look' } as const;
const TOKEN_OF: Readonly<Record<Role, string>> = { viewer: 'look', operator: 'steer', admin: 'all' };
const SETTING_OF: Readonly<Record<Role, string>> = {
  viewer: 'admin-viewer-token',
  operator: 'admin-operator-token',
  admin: 'admin-token',
};

const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

/** Every path, but the events, which do not end. */
const ASKED = routeRows().filter(([name]) => name !== 'GET /v1/events');

function pathOf(name: RouteName): string {
  return partsOf(name).path.replace(/:\w+/g, 'x').replace('*', 'page.css');
}

async function call({ url }: ServedAdmin, name: RouteName, token: string, body: object | null): Promise<Response> {
  const { method } = partsOf(name);
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === null ? {} : { 'content-type': 'application/json' }),
  };
  return fetch(url + pathOf(name), { method, headers, body: body === null ? null : JSON.stringify(body) });
}

/** What the table says of it. */
function mayCall(role: Role, { needs }: RouteRow): boolean {
  return needs === 'nobody' || needs === 'peer' || isEnough(role, needs);
}

describe.each(ROLES)('a %s', (role) => {
  it('may call what the table says, and is told of everything else which role it takes', async () => {
    const served = await serveAdmin(TOKENS);
    for (const [name, row] of ASKED) {
      const { method } = partsOf(name);
      const body = method === 'GET' || method === 'DELETE' ? null : { dryRun: true };
      const answer = await call(served, name, TOKEN_OF[role], body);
      const text = await answer.text();
      expect([name, answer.status === 403]).toEqual([name, !mayCall(role, row)]);
      if (answer.status !== 403) continue;
      const needed = row.needs === 'operator' ? 'operator' : 'admin';
      expect(JSON.parse(text)).toEqual({
        error: {
          code: 'FORBIDDEN',
          message: `${method} ${pathOf(name)} takes the role ${needed} (${SETTING_OF[needed]}), and was called with a token of the role ${role}`,
          hint: `call it with ${needed === 'admin' ? '' : 'admin-operator-token or '}admin-token`,
        },
      });
    }
    if (role !== 'viewer') return;
    const changed = served.backend.calls.filter((made) =>
      /^(pause|resume|cancel|throttle|forget|preview|\{)/.test(made),
    );
    expect(changed).toEqual([]);
  });

  it('may say in a body what the table says', async () => {
    const served = await serveAdmin(TOKENS);
    const raised = ASKED.flatMap(([name, row]) => (row.raised?.words ?? []).map((word) => ({ name, row, word })));
    expect(raised.map(({ name, word }) => `${name} ${word}`)).toEqual([
      'POST /v1/ring/check fix',
      'POST /v1/ring/changes noDrain',
      'POST /v1/ring/changes flush',
      'POST /v1/ring/changes force',
      'POST /v1/ring/changes/current/resume noDrain',
    ]);
    for (const { name, word } of raised) {
      // Whatever is not plainly off: what the schema makes of it is not for this to guess.
      for (const value of [true, 1, 'true', null, {}]) {
        const answer = await call(served, name, TOKEN_OF[role], { kind: 'remove', remove: ['a'], [word]: value });
        expect([name, word, value, answer.status === 403]).toEqual([name, word, value, role !== 'admin']);
        const { error } = (await answer.json()) as { error?: { message: string } };
        if (role === 'operator') expect(error?.message).toContain(`${pathOf(name)} with ${word} takes the role admin`);
      }
      const answer = await call(served, name, TOKEN_OF[role], { kind: 'remove', remove: ['a'], [word]: false });
      expect([name, answer.status === 403]).toEqual([name, role === 'viewer']);
      await answer.text();
    }
  });
});

it('whoever only looks sends no other method than GET, and no GET changes anything', () => {
  for (const [name, { needs }] of routeRows()) {
    if (!name.startsWith('GET ')) expect([name, isEnough('viewer', needs as Role)]).toEqual([name, false]);
  }
});

it('a viewer hears events, and everybody is called what they are', async () => {
  const { url } = await serveAdmin(TOKENS);
  const ended = new AbortController();
  const events = await fetch(`${url}/v1/events`, { ...bearer('look'), signal: ended.signal });
  expect(events.status).toBe(200);
  ended.abort();
  const who = async (token: string): Promise<unknown> => (await fetch(`${url}/v1/whoami`, bearer(token))).json();
  expect([await who('look'), await who('steer'), await who('all')]).toEqual([
    { name: 'vera', role: 'viewer' },
    { name: 'olga', role: 'operator' },
    { name: 'admin', role: 'admin' },
  ]);
  expect(await who('')).toMatchObject({ error: { code: 'UNAUTHORIZED' } });
  expect((await fetch(`${url}/metrics`, { ...bearer('look'), method: 'HEAD' })).status).toBe(200);
});

it('nobody learns by 405 or 404 what there is without a token', async () => {
  const { url } = await serveAdmin(TOKENS);
  for (const path of ['/nope', '/v1/ring', '/v1/groups/x']) {
    expect((await fetch(url + path, { method: 'POST' })).status).toBe(401);
    expect((await fetch(url + path, { ...bearer('look'), method: 'POST' })).status).toBe(path === '/nope' ? 404 : 405);
  }
});

it('without any token everybody is an admin', async () => {
  const { url } = await serveAdmin();
  expect(await (await fetch(`${url}/v1/whoami`)).json()).toEqual({ name: null, role: 'admin' });
});

describe('tokens', () => {
  const named = (...tokens: string[]) => tokens.map((token) => ({ name: `of ${token}`, token }));

  it('may be several, and are replaced while it serves', async () => {
    const { url, credentials } = await serveAdmin({ token: 'old', viewer: 'look' });
    const status = async (token: string): Promise<number> => (await fetch(`${url}/v1/ring`, bearer(token))).status;
    credentials.replace({ admin: named('old', 'new'), operator: [], viewer: named('look') });
    expect([await status('old'), await status('new'), await status('look')]).toEqual([200, 200, 200]);
    credentials.replace({ admin: named('new'), operator: [], viewer: [] });
    expect([await status('old'), await status('new'), await status('look')]).toEqual([401, 200, 401]);
  });

  it('that are taken away end the streams of events that were opened by them, and no others', async () => {
    const served = await serveAdmin(TOKENS);
    const follow = async (token: string) => (await fetch(`${served.url}/v1/events`, bearer(token))).body?.getReader();
    const [taken, kept] = [await follow('look'), await follow('steer')];
    await Promise.all([taken?.read(), kept?.read()]);
    const named = (token: string) => [{ name: token, token }];
    served.credentials.replace({ admin: named('all'), operator: [], viewer: [...named('steer'), ...named('other')] });
    expect((await taken?.read())?.done).toBe(true);
    served.backend.source.publish('ringproxy:ring:begun', { kind: 'remove' });
    expect(Buffer.from((await kept?.read())?.value ?? []).toString()).toMatch(/ring:begun[\s\S]*remove/);
    await kept?.cancel();
  });

  it('of two roles count for the greater one', () => {
    const credentials = new Credentials({ viewer: named('a', 'b'), operator: named('b', 'c'), admin: named('a') });
    expect(['a', 'b', 'c', 'd', ''].map((token) => credentials.callerOf(token)?.role ?? null)).toEqual([
      'admin',
      'operator',
      'operator',
      null,
      null,
    ]);
  });
});

it('a path that has something else in it takes the same methods', () => {
  expect(methodsOf('/v1/groups/pages')).toEqual(['PUT', 'PATCH', 'DELETE']);
  expect(methodsOf('/v1/ring')).toEqual(['GET', 'HEAD']);
  expect(methodsOf('/v1/groups/a/b')).toEqual([]);
});
