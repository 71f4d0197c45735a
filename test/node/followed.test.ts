import { describe, expect, it } from 'vitest';
import { formatPlace, looksFollowed, parseFollowed } from '../../src/node/followed.js';

describe('addresses that say who knows where a master is', () => {
  it('name Sentinels, in one order, and the master', () => {
    expect(parseFollowed('sentinel://b:2,a:1/cache')).toEqual({
      ...{ kind: 'sentinel', sentinels: ['a:1', 'b:2'], master: 'cache' },
    });
    expect(formatPlace('sentinel://b:2,a/cache')).toBe('sentinel://a:26379,b:2/cache');
    expect(formatPlace('sentinel://[::1]:2/a.b-c_d')).toBe('sentinel://[::1]:2/a.b-c_d');
  });

  it('or name the servers', () => {
    expect(parseFollowed('b:2,a:1')).toEqual({ kind: 'addresses', addresses: ['a:1', 'b:2'] });
    expect(formatPlace('b:2,a:1')).toBe('a:1,b:2');
  });

  it('are none where a part is wrong, twice, or missing', () => {
    const wrong = ['sentinel://', 'sentinel:///x', 'sentinel://a:1', 'sentinel://a:1/', 'sentinel://a:1/x/y'];
    wrong.push('sentinel://a:1,a:1/x', 'sentinel://a:0/x', 'sentinel:///sock,a:1/x', 'sentinel://a:1/x y');
    wrong.push('a:1,', 'a:1,b', 'a:1,a:1', 'a:1,/sock');
    for (const text of wrong) {
      expect([text, parseFollowed(text)]).toEqual([text, null]);
      expect([text, formatPlace(text)]).toEqual([text, null]);
      expect([text, looksFollowed(text)]).toEqual([text, true]);
    }
  });

  it('are not ordinary ones', () => {
    for (const text of ['a:1', '/sock', 'unix:/sock', '[::1]:2']) {
      expect(parseFollowed(text)).toBeNull();
      expect(looksFollowed(text)).toBe(false);
      expect(formatPlace(text)).not.toBeNull();
    }
  });
});
