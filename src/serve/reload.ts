/** What a configuration that is read again, while the proxy serves, changes at once, and what waits for the next start. */
import { type Config, SETTINGS, type SettingName } from '../config/settings.js';
import { tlsFileMistakes } from '../config/tls.js';
import type { RingproxyError } from '../errors.js';
import type { Logger } from '../telemetry/log.js';

/** Puts a setting in force, of a configuration of which other settings may not be. One function may be that of several. */
export type InForce = { readonly [Name in SettingName]?: (read: Config) => void };

export class Reload {
  #config: Config;
  readonly #log: Logger;
  readonly #inForce: InForce;

  /** @param config that the proxy was started with @param inForce the settings that can change while it serves */
  constructor(config: Config, log: Logger, inForce: InForce) {
    this.#config = config;
    this.#log = log;
    this.#inForce = inForce;
  }

  /** Names what has changed, and never the values: passwords are among them. @param asked by what */
  take(read: Config | RingproxyError, asked = 'asked to'): void {
    if (read instanceof Error) {
      this.#log.error(`${asked}: the configuration was read again and changes nothing: ${read.message}`);
      return;
    }
    const changed = namesOf(read).filter((name) => isOther(read[name], this.#config[name]));
    const live = changed.filter((name) => name in this.#inForce);
    const tell = (): void => {
      const now = pathsOf(live);
      const later = pathsOf(changed.filter((name) => !live.includes(name)));
      this.#log.info({ now, later }, `${asked}: ${inWords(now, later)}`);
    };
    // At the level that lets more through, of that before and that which follows.
    const isTold = this.#log.isLevelEnabled('info');
    if (isTold) tell();
    // Settings that have one way in are put in force together.
    for (const put of new Set(live.map((name) => this.#inForce[name]))) put?.(read);
    if (!isTold) tell();
    const unusable = tlsFileMistakes(read).map(({ path, message }) => `${path}: ${message}`);
    if (unusable.length > 0) {
      this.#log.error(`${asked}: certificates that cannot be used, all else is taken: ${unusable.join('; ')}`);
    }
    this.#config = { ...this.#config, ...Object.fromEntries(live.map((name) => [name, read[name]])) };
  }
}

function pathsOf(names: readonly SettingName[]): string[] {
  return names.map((name) => SETTINGS[name].path);
}

function namesOf(config: Config): SettingName[] {
  return Object.keys(config) as SettingName[];
}

/** Values of settings are plain. */
function isOther(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

function inWords(now: readonly string[], later: readonly string[]): string {
  if (now.length === 0 && later.length === 0) return 'the configuration was read again and has not changed';
  const parts = [
    ...(now.length === 0 ? [] : [`${now.join(', ')} in force`]),
    ...(later.length === 0 ? [] : [`${later.join(', ')} from the next start on`]),
  ];
  return `the configuration was read again: ${parts.join('; ')}`;
}
