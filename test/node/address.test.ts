import { describe, expect, it } from 'vitest';
import { formatAddress, isLoopback, parseAddress, parseNodeAddress, withoutLogin } from '../../src/node/address.js';

describe('an address', () => {
  it.each([
    ['127.0.0.1:6379', { host: '127.0.0.1', port: 6379 }],
    ['redis.example.org:6379', { host: 'redis.example.org', port: 6379 }],
    ['redis-1_a:65535', { host: 'redis-1_a', port: 65_535 }],
    ['[::1]:6379', { host: '::1', port: 6379 }],
    ['[2001:db8::7]:7000', { host: '2001:db8::7', port: 7000 }],
    ['[::ffff:10.0.0.1]:6379', { host: '::ffff:10.0.0.1', port: 6379 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['/run/redis/redis.sock', { path: '/run/redis/redis.sock' }],
    ['/run/redis:6379/a', { path: '/run/redis:6379/a' }],
    ['unix:/run/redis.sock', { path: '/run/redis.sock' }],
  ])('is read from %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  it.each([
    ...['', 'localhost', ':6379', 'localhost:', 'localhost:redis', 'localhost:65536', 'localhost:-1', 'a b:1'],
    ...['::1:6379', '2001:db8::7:7000', '[::1]', '[::1]6379', '[localhost]:6379', '[]:6379', 'localhost:6379/0'],
    ...['redis://localhost:6379', 'unix:relative.sock', 'unix:', 'relative/redis.sock', ' localhost:6379'],
    ...['user@localhost:6379', ':password@localhost:6379'],
  ])("is not '%s'", (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  it.each([
    ['redis://user:pass@word/x@h:1', 'redis://***@h:1'],
    ['a=rediss://:password@h:1*2', 'a=rediss://***@h:1*2'],
    ['sentinel://user:pass=word@h:1,h2/m', 'sentinel://***@h:1,h2/m'],
    ['password@h:1', '***@h:1'],
    ['a=h:1', 'a=h:1'],
  ])('%s is shown without its login', (text, shown) => {
    expect(withoutLogin(text)).toBe(shown);
  });

  it.each(['127.0.0.1:6379', '[::1]:6379', '/run/redis.sock', 'redis.example.org:1'])(
    'is shown as it was: %s',
    (text) => {
      const address = parseAddress(text);
      expect(address === null ? null : formatAddress(address)).toBe(text);
    },
  );

  it('of a Unix socket has one form', () => {
    expect(formatAddress({ path: '/run/redis.sock' })).toBe('/run/redis.sock');
  });

  it('of a node has a real port', () => {
    expect(parseNodeAddress('localhost:0')).toBeNull();
    expect(parseNodeAddress('localhost:1')).toEqual({ host: 'localhost', port: 1 });
    expect(parseNodeAddress('/run/redis.sock')).toEqual({ path: '/run/redis.sock' });
  });

  it.each([
    ['127.0.0.1:1', true],
    ['127.9.9.9:1', true],
    ['localhost:1', true],
    ['[::1]:1', true],
    ['/run/redis.sock', true],
    ['10.0.0.1:1', false],
    ['127.example.org:1', false],
    ['[2001:db8::7]:1', false],
  ])('%s is reached from this machine alone: %s', (text, expected) => {
    const address = parseAddress(text);
    expect(address !== null && isLoopback(address)).toBe(expected);
  });
});
