/** What a configuration that is read again, while the proxy serves, changes at once, and what waits for the next start. */
import { commandWarnings } from '../config/command-warnings.js';
import { type Config, SETTINGS, type SettingName } from '../config/settings.js';
import { tlsFileMistakes } from '../config/tls.js';
import type { RingproxyError } from '../errors.js';
import type { Logger } from '../telemetry/log.js';

/** Puts a setting in force, of a configuration of which other settings may not be. One function may be that of several. */
export type InForce = { readonly [Name in SettingName]?: (read: Config) => void };

/** A setting of which a part can change while the proxy serves. */
interface InPart {
  /** That part, for people. */
  readonly words: string;
  part(config: Config): unknown;
  /** What waits for the next start. */
  rest(config: Config): unknown;
}

const IN_PART: { readonly [Name in SettingName]?: InPart } = {
  nodes: {
    words: "nodes' logins",
    part: ({ nodes }) =>
      nodes.flatMap(({ name, address, username, password }) =>
        username === undefined && password === undefined ? [] : [{ name, address, username, password }],
      ),
    rest: ({ nodes }) => nodes.map(({ username: _username, password: _password, ...rest }) => rest),
  },
};

export class Reload {
  readonly #started: Config;
  #config: Config;
  readonly #log: Logger;
  readonly #inForce: InForce;

  /** @param config that the proxy was started with @param inForce the settings that can change while it serves */
  constructor(config: Config, log: Logger, inForce: InForce) {
    this.#started = config;
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
    const changed = namesOf(read).filter((name) => isOther(partOf(name, read), partOf(name, this.#config)));
    const live = changed.filter((name) => name in this.#inForce);
    const rests = namesOf(read).filter((name) =>
      isOther(IN_PART[name]?.rest(read), IN_PART[name]?.rest(this.#started)),
    );
    const tell = (): void => {
      const now = live.map((name) => IN_PART[name]?.words ?? SETTINGS[name].path);
      const later = pathsOf([...changed.filter((name) => !live.includes(name)), ...rests]);
      this.#log.info({ now, later }, `${asked}: ${inWords(now, later)}`);
    };
    // At the level that lets more through, of that before and that which follows.
    const isTold = this.#log.isLevelEnabled('info');
    if (isTold) tell();
    // Settings that have one way in are put in force together.
    for (const put of new Set(live.map((name) => this.#inForce[name]))) put?.(read);
    if (!isTold) tell();
    if (live.includes('denyCommands') || live.includes('renameCommands')) {
      for (const warning of commandWarnings(read)) this.#log.warn(`${asked}: ${warning}`);
    }
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

/** What of a setting can be in force at once, or all of it. */
function partOf(name: SettingName, config: Config): unknown {
  return IN_PART[name]?.part(config) ?? config[name];
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
