import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { pickLiveSettings } from '../../../src/proxy/settings.js';
import { partOfOne } from '../../../src/proxy/users/limit-parts.js';

const FLAGS = {
  users: 'user default on nopass ~* &* +@all\nuser shop on nopass\nuser free on nopass',
  ...{ maxClientsPerAddress: 10, commandsPerAddress: 1000, bytesPerAddress: '1kb' },
  ...{ maxClientsPerUser: 1, commandsPerUser: 7, bytesPerUser: '0' },
  userLimits: '{"shop":{"max-clients":5,"bytes":"10b"},"free":{"commands":0}}',
};

it('of limits that are for all proxies together, each has an equal part, rounded up; nothing else is another one', () => {
  const all = pickLiveSettings(loadConfig({ flags: { ...FLAGS, limitScope: 'fleet' } }));
  expect(partOfOne(all, 1)).toBe(all);
  expect(partOfOne(all, 3)).toEqual({
    ...all,
    ...{ maxClientsPerAddress: 4, commandsPerAddress: 334, bytesPerAddress: 342 },
    ...{ maxClientsPerUser: 1, commandsPerUser: 3, bytesPerUser: 0 },
    userLimits: [
      { name: 'shop', clients: 2, bytes: 4 },
      { name: 'free', commands: 0 },
    ],
  });
});

it('limits that are for each proxy stay as they are', () => {
  const each = pickLiveSettings(loadConfig({ flags: FLAGS }));
  expect(partOfOne(each, 3)).toBe(each);
});
