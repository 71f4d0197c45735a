/** What is written down of a request: nothing that opens doors, wherever somebody has put it. */
import { describe, expect, it } from 'vitest';
import { shownBody, shownUrl } from '../../../src/admin/audit/shown-request.js';

describe('a body', () => {
  it.each([
    [{ password: 'hush' }, '{"password":"***"}'],
    [{ passwort: 'hush', Token: 'hush', apiKey: 'hush' }, '{"passwort":"***","Token":"***","apiKey":"***"}'],
    [{ add: [{ name: 'a', password: ['hush'] }] }, '{"add":[{"name":"a","password":"***"}]}'],
    [{ address: 'u:hush@h:1' }, '{"address":"u:***@h:1"}'],
    [{ address: 'redis://u:hush@h:1' }, '{"address":"redis://u:***@h:1"}'],
    [{ address: 'redis://:hush@h:1' }, '{"address":"redis://:***@h:1"}'],
    [{ address: '10.0.0.1:6379', password: null }, '{"address":"10.0.0.1:6379","password":null}'],
    [{ prefixes: ['page:', 'user:'] }, '{"prefixes":["page:","user:"]}'],
  ])('%j is %s', (body, shown) => {
    expect(shownBody(body)).toBe(shown);
  });

  it('of any length is looked at in no time', () => {
    const begun = performance.now();
    expect(shownBody({ a: 'a:'.repeat(500_000) })).toHaveLength(1024 + '...'.length);
    expect(performance.now() - begun).toBeLessThan(200);
  });
});

describe('a URL', () => {
  it.each([
    ['/v1/ring?limit=3', '/v1/ring?limit=3'],
    ['/v1/ring?token=hush', '/v1/ring?token=***'],
    ['/v1/ring?a=1&admin-token=hush&b=2', '/v1/ring?a=1&admin-token=***&b=2'],
    ['/v1/ring?%74oken=hush', '/v1/ring?%74oken=***'],
    ['/v1/ring?x=redis%3A%2F%2Fu%3Ahush%40h', '/v1/ring?x=redis://u:***@h'],
    ['/v1/ring?a=%zz', '/v1/ring?***'],
  ])('%s is %s', (url, shown) => {
    expect(shownUrl(url)).toBe(shown);
  });
});
