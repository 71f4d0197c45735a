/** What is in force of limits that a fleet has together, while its members and the settings become others. */
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { type LiveSettings, pickLiveSettings } from '../../src/proxy/settings.js';
import { FleetLimits } from '../../src/serve/fleet-limits.js';

const member = (alive: boolean, fencedOff = false) => ({ alive, fencedOff });

function stage(limitScope: 'proxy' | 'fleet') {
  const read = (commandsPerUser: number): LiveSettings =>
    pickLiveSettings(loadConfig({ flags: { commandsPerUser, limitScope } }));
  const used: number[] = [];
  const told: string[] = [];
  const plane = { useSettings: (settings: LiveSettings) => void used.push(settings.commandsPerUser) };
  return { read, used, told, limits: new FleetLimits(read(600), plane, (message) => told.push(message)) };
}

it('each live proxy has a part, whoever comes and goes, also of settings that are read meanwhile', () => {
  const { limits, read, used, told } = stage('fleet');
  limits.onMembers([member(true)]);
  expect(used).toEqual([]);
  limits.onMembers([member(true), member(true), member(false), member(true, true)]);
  limits.onMembers([member(true), member(true)]);
  expect(used).toEqual([300]);
  limits.use(read(900));
  limits.onMembers([member(true), member(true), member(true)]);
  // Nobody is seen where the ring was removed: it serves all the same.
  limits.onMembers([]);
  expect(used).toEqual([300, 450, 300, 900]);
  expect(told).toHaveLength(3);
  expect(told[0]).toContain('one of 2 parts');
});

it('where limits are for each proxy, members change nothing, until that is read otherwise', () => {
  const { limits, read, used, told } = stage('proxy');
  limits.onMembers([member(true), member(true)]);
  expect([used, told]).toEqual([[], []]);
  limits.use(read(600));
  limits.use(stage('fleet').read(600));
  expect(used).toEqual([600, 300]);
});
