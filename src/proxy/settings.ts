/**
 * Every setting of the data plane, once, by area. What an operator writes (file, flag, environment, documentation) is
 * made of these rows by `config`; what the data plane reads is their values, one object (`DataPlaneSettings`), which
 * whoever runs it passes on whole. A row more is all that a setting needs.
 */
import { ACCESS_SETTINGS } from './settings/access.js';
import { CLIENT_SETTINGS } from './settings/clients.js';
import type { SettingValue } from './settings/form.js';
import { LIMIT_SETTINGS } from './settings/limits.js';
import { MEMORY_SETTINGS } from './settings/memory.js';
import { NODE_CONNECTION_SETTINGS } from './settings/node-connections.js';
import { VALUE_SETTINGS } from './settings/values.js';

export const DATA_PLANE_SETTINGS = {
  ...ACCESS_SETTINGS,
  ...NODE_CONNECTION_SETTINGS,
  ...MEMORY_SETTINGS,
  ...LIMIT_SETTINGS,
  ...CLIENT_SETTINGS,
  ...VALUE_SETTINGS,
};

type DataPlaneRows = typeof DATA_PLANE_SETTINGS;
type DataPlaneSettingName = keyof DataPlaneRows;

/** What the settings are set to. */
export type DataPlaneSettings = { readonly [Name in DataPlaneSettingName]: SettingValue<DataPlaneRows[Name]> };

/** Those that may become others while clients are served: each is looked at when it is needed. */
const LIVE_SETTINGS = [
  ...(['password', 'users', 'usersFile', 'userScripts'] as const),
  ...(['protectedMode', 'maxClients', 'idleTimeout', 'adminCommands'] as const),
  ...(['crossNodeMaxBytes', 'crossNodeUsers'] as const),
  ...(['denyCommands', 'renameCommands'] as const),
  ...(['maxClientsPerAddress', 'commandsPerAddress', 'bytesPerAddress'] as const),
  ...(['maxClientsPerUser', 'commandsPerUser', 'bytesPerUser', 'userLimits', 'limitMode'] as const),
  'limitScope',
  ...(['clientOutputLimit', 'clientQueryLimit', 'clientStallTimeout', 'clientUploadTimeout'] as const),
  ...(['requestTimeout', 'reconnectBackoffMax', 'streamThreshold'] as const),
] as const satisfies readonly DataPlaneSettingName[];

export type LiveSettingName = (typeof LIVE_SETTINGS)[number];
export type LiveSettings = Pick<DataPlaneSettings, LiveSettingName>;

/** @returns for each of these what `of` says */
export function forLiveSettings<T>(of: (name: LiveSettingName) => T): Record<LiveSettingName, T> {
  return forNames(LIVE_SETTINGS, of);
}

function forNames<Name extends string, T>(names: readonly Name[], of: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, T>;
}

/** @returns those of `settings` that may become others */
export function pickLiveSettings(settings: LiveSettings): LiveSettings {
  // Every row has its own value.
  return forLiveSettings<unknown>((name) => settings[name]) as LiveSettings;
}

/** @returns those of `settings` that are the data plane's, and nothing else */
export function pickDataPlaneSettings(settings: DataPlaneSettings): DataPlaneSettings {
  const names = Object.keys(DATA_PLANE_SETTINGS) as DataPlaneSettingName[];
  // Every row has its own value.
  return forNames<DataPlaneSettingName, unknown>(names, (name) => settings[name]) as DataPlaneSettings;
}
