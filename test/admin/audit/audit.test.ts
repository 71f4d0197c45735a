/** What is written down of calls of the admin API. */
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { AuditView } from '../../../src/admin/api.js';
import { type ServedAdmin, serveAdmin } from '../serve-admin.js';

const TOKENS = { token: 'all', operator: 'steer', viewer: 'look' } as const;
const CHANGES = '/v1/ring/changes';

async function call(
  { url }: ServedAdmin,
  path: string,
  token: string,
  { method = 'POST', body, headers = {} }: { method?: string; body?: object; headers?: Record<string, string> } = {},
): Promise<number> {
  const answer = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  await answer.text();
  return answer.status;
}

async function auditOf({ url }: ServedAdmin): Promise<AuditView['entries']> {
  const answer = await fetch(`${url}/v1/audit`, { headers: { authorization: 'Bearer all' } });
  return ((await answer.json()) as AuditView).entries;
}

describe('the audit log', () => {
  it('has who has called what, from where, and what became of it', async () => {
    const served = await serveAdmin(TOKENS);
    await call(served, '/v1/ring/changes/current/pause', 'steer', { headers: { 'x-ringproxy-client': 'ann@desk' } });
    await call(served, '/v1/ring/changes/current/cancel', 'steer', { body: { dryRun: true } });
    await call(served, CHANGES, 'all', { body: { kind: 'remove', remove: ['a'] } });
    await call(served, CHANGES, 'steer', { body: { kind: 'remove', remove: ['a'], noDrain: true } });
    await call(served, CHANGES, 'look');
    await call(served, '/v1/ring', 'wrong', { method: 'GET' });
    // Whoever only looks is not noted, nor is what is not there.
    await call(served, '/v1/ring', 'look', { method: 'GET' });
    await call(served, '/v1/nothing', 'all');
    const entries = await auditOf(served);
    expect(
      entries.map(({ who, role, method, path, outcome, code }) => [who, role, method, path, outcome, code]),
    ).toEqual([
      ['olga', 'operator', 'POST', '/v1/ring/changes/current/pause', 'done', null],
      ['olga', 'operator', 'POST', '/v1/ring/changes/current/cancel', 'done', null],
      ['admin', 'admin', 'POST', CHANGES, 'failed', 'CHANGE_RUNNING'],
      ['olga', 'operator', 'POST', CHANGES, 'refused', 'FORBIDDEN'],
      ['vera', 'viewer', 'POST', CHANGES, 'refused', 'FORBIDDEN'],
      [null, null, 'GET', '/v1/ring', 'refused', 'UNAUTHORIZED'],
    ]);
    expect(entries.map(({ dryRun }) => dryRun)).toEqual([false, true, false, false, false, false]);
    expect(entries.map(({ status }) => status)).toEqual([200, 200, 409, 403, 403, 401]);
    expect(entries[0]).toMatchObject({ proxy: 'p', address: '127.0.0.1', client: 'ann@desk', unlisted: 0 });
    expect(entries[1]).toMatchObject({ client: 'node', body: '{"dryRun":true}' });
    expect(served.told[1]).toBe('olga from 127.0.0.1: POST /v1/ring/changes/current/cancel (dry run): done');
    expect(served.told[3]).toBe(`olga from 127.0.0.1: POST ${CHANGES}: refused (FORBIDDEN)`);
    expect(served.told[5]).toBe('nobody (says "node") from 127.0.0.1: GET /v1/ring: refused (UNAUTHORIZED)');
  });

  // Symptom: the call was carried out, answered 500, and stood nowhere: its body could not be walked through.
  it('has calls whose bodies are nested as deeply as they can be sent', async () => {
    const served = await serveAdmin(TOKENS);
    const body = `${'{"a":'.repeat(90_000)}1${'}'.repeat(90_000)}`;
    const headers = { authorization: 'Bearer steer', 'content-type': 'application/json' };
    const answer = await fetch(`${served.url}/v1/ring/changes/current/pause`, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
    expect(await auditOf(served)).toMatchObject([
      { who: 'olga', outcome: 'done', body: '"nested too deeply to be shown"' },
    ]);
  });

  it('is for admins alone', async () => {
    const served = await serveAdmin(TOKENS);
    const get = (token: string) => call(served, '/v1/audit', token, { method: 'GET' });
    expect([await get('look'), await get('steer'), await get('all')]).toEqual([403, 403, 200]);
  });

  it('has no passwords, and no more of a body than it takes', async () => {
    const served = await serveAdmin(TOKENS);
    const add = [{ address: '10.0.0.1:6379', username: 'proxy', password: 'hunter2' }];
    await call(served, CHANGES, 'all', { body: { kind: 'add', add } });
    await call(served, CHANGES, 'all', { body: { kind: 'remove', remove: ['x'.repeat(500_000)] } });
    const [first, second] = await auditOf(served);
    expect(first?.body).toBe('{"kind":"add","add":[{"address":"10.0.0.1:6379","username":"proxy","password":"***"}]}');
    expect(second?.body).toHaveLength(1027);
    expect(JSON.stringify(served.told)).not.toContain('hunter2');
  });

  it('has no control characters, whatever is sent', async () => {
    const served = await serveAdmin(TOKENS);
    const evil = 'a\u001b[2J\u009b31m\u202e\u2028\n{"audit":{}}';
    await call(served, CHANGES, 'all', { body: { kind: 'remove', remove: [evil] } });
    // As fetch would not send it: bytes beyond ASCII in a header.
    await new Promise<void>((resolve, reject) => {
      const sent = request(`${served.url}/v1/ring/changes/current/pause`, {
        method: 'POST',
        path: '/v1/ring/changes/current/pause?%1b%0a',
        headers: { authorization: 'Bearer steer', 'x-ringproxy-client': `bob\u009b2J\t\u00ff${'x'.repeat(500)}` },
      });
      sent.on('response', (answer) => answer.resume().on('end', resolve)).on('error', reject);
      sent.end();
    });
    const entries = await auditOf(served);
    expect(JSON.stringify([entries, served.told])).toMatch(/^[\x20-\x7e]*$/);
    expect(entries[0]?.body).toContain('\\u009b31m\\u202e\\u2028\\n');
    expect(entries[1]?.client).toMatch(/^bob\?2J\?\?x+~$/);
    expect(entries[1]?.path).toBe('/v1/ring/changes/current/pause?%1b%0a');
  });

  it('counts all that were refused, and lists some: strangers do not take the place of those who are known', async () => {
    let now = 0;
    const served = await serveAdmin({ ...TOKENS, now: () => now });
    for (let i = 0; i < 50; i++) await call(served, '/v1/ring', `guess ${i}`, { method: 'GET' });
    for (let i = 0; i < 3; i++) await call(served, CHANGES, 'look');
    const listed = await auditOf(served);
    expect(listed.filter(({ who }) => who === null)).toHaveLength(20);
    expect(listed.filter(({ who }) => who === 'vera')).toHaveLength(3);
    now = 7000;
    await call(served, '/v1/ring', 'once more', { method: 'GET' });
    expect((await auditOf(served)).at(-1)).toMatchObject({ who: null, unlisted: 30 });
    expect(served.told.at(-1)).toContain('30 refused calls before it are not listed');
    expect([...served.audit.refused]).toEqual([
      ['UNAUTHORIZED', 51],
      ['FORBIDDEN', 3],
    ]);
  });

  // A page that is open without a token asks every second: it took the places of all strangers within half a minute.
  it('counts who looks without a token, and lists who tries one, or would change something', async () => {
    const served = await serveAdmin(TOKENS);
    for (let i = 0; i < 25; i++) await call(served, '/v1/ring', '', { method: 'GET' });
    expect(await auditOf(served)).toEqual([]);
    await call(served, '/v1/ring', 'guess', { method: 'GET' });
    await call(served, CHANGES, '');
    const entries = await auditOf(served);
    expect(entries.map(({ method, path, unlisted }) => [method, path, unlisted])).toEqual([
      ['GET', '/v1/ring', 0],
      ['POST', CHANGES, 0],
    ]);
    expect([...served.audit.refused]).toEqual([['UNAUTHORIZED', 27]]);
  });

  it('keeps the newest thousand', async () => {
    const served = await serveAdmin();
    for (let i = 0; i < 1005; i++) await call(served, `/v1/proxies/p${i}`, '', { method: 'DELETE' });
    expect(served.audit.newest(2000).map(({ path }) => path)).toEqual(
      Array.from({ length: 1000 }, (_, i) => `/v1/proxies/p${i + 5}`),
    );
  });
});
