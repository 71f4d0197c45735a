import { describe, expect, it } from 'vitest';
import { adminUrl } from '../../src/client/admin-url.js';
import { loadConfig } from '../../src/config/load.js';

const failure = (code: string) => expect.objectContaining({ code, exitCode: 2 });

describe('the address of an admin API', () => {
  it.each([
    ['http://10.0.0.1:6390/', 'http://10.0.0.1:6390'],
    ['https://proxies.example/ring/', 'https://proxies.example/ring'],
    ['10.0.0.1:6390', 'http://10.0.0.1:6390'],
    ['[fd00::1]:6390', 'http://[fd00::1]:6390'],
    // Nobody can be called at an address that means all of them.
    ['0.0.0.0:6390', 'http://127.0.0.1:6390'],
    ['[::]:6390', 'http://[::1]:6390'],
    ['http://0.0.0.0:6390', 'http://127.0.0.1:6390'],
    ['http://0.0.0.0.example:6390', 'http://0.0.0.0.example:6390'],
  ])('%s is called at %s', (given, url) => {
    expect(adminUrl(given)).toBe(url);
  });

  it.each(['localhost', 'unix:/tmp/x', 'http://', 'http://a b'])('%s is none', (given) => {
    expect(() => adminUrl(given)).toThrow(failure('ADMIN_URL'));
  });

  it('is not there where serve is told to have none', () => {
    expect(() => adminUrl('off')).toThrow(failure('ADMIN_URL'));
  });

  // One RINGPROXY_ADMIN in the environment of both.
  it.each(['127.0.0.1:7000', '0.0.0.0:7000', '[::1]:7000', 'http://127.0.0.1:7000', 'http://localhost:7000/'])(
    'is for serve what it is for those who ask: %s',
    (given) => {
      const env = { RINGPROXY_ADMIN: given, RINGPROXY_ADMIN_TOKEN: 't' };
      const { admin } = loadConfig({ env });
      expect(adminUrl(admin)).toBe(adminUrl(given));
    },
  );
});
