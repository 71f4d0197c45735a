/**
 * Every setting, once: where it stands in the file, its type and range, its default and what it is for; by area, those
 * of the data plane beside it. Flags, environment variables, `--help` and the table in `src/docs/settings.md` are made
 * of these rows: a row more is a setting more.
 */
import { DATA_PLANE_SETTINGS } from '../proxy/settings.js';
import { FLEET_SETTINGS } from './settings/fleet.js';
import { NODE_SETTINGS } from './settings/nodes.js';
import { PROCESS_SETTINGS } from './settings/process.js';
import { RING_SETTINGS } from './settings/ring.js';
import type { ValueOf } from './settings/setting.js';
import { TLS_SETTINGS } from './settings/tls.js';

export const SETTINGS = {
  ...PROCESS_SETTINGS,
  ...TLS_SETTINGS,
  ...RING_SETTINGS,
  ...NODE_SETTINGS,
  ...FLEET_SETTINGS,
  ...DATA_PLANE_SETTINGS,
};

export type SettingName = keyof typeof SETTINGS;

export type Config = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> };
