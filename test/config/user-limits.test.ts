import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.js';

const USERS = { shop: 'on >one ~* +@all', report: 'on >two ~* +@read' };

function read(settings: object, env: Readonly<Record<string, string>> = {}) {
  return loadConfig({ settings: { nodes: ['a=127.0.0.1:1'], users: USERS, ...settings }, env });
}

function mistakesOf(settings: object, env: Readonly<Record<string, string>> = {}): string[] {
  try {
    read(settings, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes.map(({ where, message }) => `${where}: ${message}`);
    throw error;
  }
  return [];
}

describe('limits of users', () => {
  it('are those that are given, and for single users others', () => {
    const limits = { shop: { 'max-clients': 100, commands: '5000', bytes: '10mb' }, default: { bytes: 0 } };
    const config = read({ 'user-limits': limits, 'commands-per-user': 10, 'limit-mode': 'refuse' });
    expect(config.userLimits).toEqual([
      { name: 'shop', clients: 100, commands: 5000, bytes: 10 * 1024 * 1024 },
      { name: 'default', bytes: 0 },
    ]);
    expect(config).toMatchObject({ maxClientsPerUser: 0, commandsPerUser: 10, bytesPerUser: 0, limitMode: 'refuse' });
    expect(read({}, { RINGPROXY_USER_LIMITS: '{"shop":{"commands":7}}' }).userLimits).toEqual([
      { name: 'shop', commands: 7 },
    ]);
    expect(read({}).userLimits).toEqual([]);
  });

  it('that are wrong are all told, with what was meant', () => {
    const wrong = { shop: { clients: 1, commands: -1 }, shp: { bytes: 'many' } };
    expect(mistakesOf({ 'user-limits': wrong, 'limit-mode': 'drop' })).toEqual([
      'user-limits.shop.clients: is none of max-clients, commands, bytes',
      'user-limits.shop.commands: expected a whole number from 0 to 100000000',
      'user-limits.shp.bytes: expected a size from 0 to 16gb, such as 10mb',
      'limit-mode: expected one of slow, refuse',
    ]);
    expect(mistakesOf({ 'user-limits': { shp: { commands: 1 } } })).toEqual([
      'user-limits: there is no user shp in users or users-file: did you mean shop?',
    ]);
    expect(mistakesOf({ 'user-limits': { shop: 5 } })[0]).toMatch(/^user-limits: expected users with their limits/);
    expect(mistakesOf({}, { RINGPROXY_USER_LIMITS: 'shop=5' })[0]).toMatch(/^RINGPROXY_USER_LIMITS: expected users/);
  });
});

it('for users cross-node may be otherwise, for such as there are', () => {
  expect(read({ 'cross-node-users': { shop: 'refuse', default: 'allow' } }).crossNodeUsers).toEqual({
    ...{ shop: 'refuse', default: 'allow' },
  });
  expect(read({}, { RINGPROXY_CROSS_NODE_USERS: 'shop=allow report=refuse' }).crossNodeUsers).toEqual({
    ...{ shop: 'allow', report: 'refuse' },
  });
  expect(mistakesOf({ 'cross-node-users': { shop: 'perhaps' } })).toEqual([
    'cross-node-users.shop: expected one of allow, refuse',
  ]);
  expect(mistakesOf({ 'cross-node-users': { shp: 'allow' } })).toEqual([
    'cross-node-users: there is no user shp in users or users-file: did you mean shop?',
  ]);
});
