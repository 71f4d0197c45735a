/** What a configuration that is read again, while the proxy serves, changes at once, and what waits for the next start. */
import { type Config, SETTINGS, type SettingName } from '../config/settings.js';
import type { RingproxyError } from '../errors.js';
import type { Logger } from '../telemetry/log.js';

/** Puts a setting in force, of a configuration of which other settings may not be. */
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

  /** Names what has changed, and never the values: passwords are among them. */
  take(read: Config | RingproxyError): void {
    if (read instanceof Error) {
      this.#log.error(`the configuration was read again and changes nothing: ${read.message}`);
      return;
    }
    const changed = namesOf(read).filter((name) => isOther(read[name], this.#config[name]));
    // Told at the level that lets more through, of that before and that which follows.
    const { level } = this.#log;
    const wasTold = this.#log.isLevelEnabled('info');
    const [now, later]: [string[], string[]] = [[], []];
    for (const name of changed) (this.#put(name, read) ? now : later).push(SETTINGS[name].path);
    this.#config = {
      ...this.#config,
      ...Object.fromEntries(changed.filter((name) => name in this.#inForce).map((name) => [name, read[name]])),
    };
    const next = this.#log.level;
    if (wasTold) this.#log.level = level;
    this.#log.info({ now, later }, inWords(now, later));
    this.#log.level = next;
  }

  /** @returns whether it is in force */
  #put(name: SettingName, read: Config): boolean {
    const put = this.#inForce[name];
    put?.(read);
    return put !== undefined;
  }
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
