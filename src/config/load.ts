import { readFileSync, statSync } from 'node:fs';
import { isMap, isSeq, LineCounter, parseDocument } from 'yaml';
import { messageOf, RingproxyError } from '../errors.js';
import { crossChecks } from './cross-checks.js';
import { environmentName } from './environment.js';
import { type Setting, schemaOf } from './settings/setting.js';
import { type Config, SETTINGS, type SettingName } from './settings.js';
import { suggestion } from './suggestion.js';
import { tlsFileMistakes } from './tls.js';

export interface ConfigMistake {
  /** Path in the file, flag or environment variable. */
  readonly where: string;
  readonly message: string;
}

/** Everything that is wrong with a configuration, in one error. */
export class ConfigError extends RingproxyError {
  readonly mistakes: readonly ConfigMistake[];

  constructor(mistakes: readonly ConfigMistake[]) {
    const lines = mistakes.map(({ where, message }) => `  ${where}: ${message}`);
    const noun = mistakes.length === 1 ? 'mistake' : 'mistakes';
    super('CONFIG', `the configuration has ${mistakes.length} ${noun}:\n${lines.join('\n')}`);
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}

export interface ConfigSources {
  /** The YAML file's path. */
  readonly file?: string | undefined;
  /** What a file would say, as an object; `file` is not read then. */
  readonly settings?: object | undefined;
  /** Values by setting, from the command line. */
  readonly flags?: Partial<Record<SettingName, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** They were read before: a file that can be read once only, such as a pipe, is a mistake, and would keep all else waiting. What certificates hold is not looked at: that is for whoever has some in force. */
  readonly again?: boolean;
}

interface Given {
  readonly value: unknown;
  readonly where: string;
  /** Of what is given in a file: where something inside of the value stands. */
  readonly inside?: (path: readonly PropertyKey[]) => string;
}

/**
 * For an address with a mistake: it is no other setting's, and not `off`, a default by which all that belongs to it
 * would seem to be given for nothing.
 */
const SOME_ADDRESS = '127.0.0.1:0';
const NAMES = Object.keys(SETTINGS) as SettingName[];
const PATHS = NAMES.map((name) => SETTINGS[name].path);

/**
 * Reads the configuration: a flag beats the environment, that the file, that the default.
 * @throws ConfigError with every mistake at once
 */
export function loadConfig(sources: ConfigSources): Config {
  const mistakes: ConfigMistake[] = [];
  const inFile = fromFileOrObject(sources, mistakes);
  const values: Partial<Record<SettingName, unknown>> = {};
  const origins = new Map<string, string>();
  for (const name of NAMES) {
    const setting: Setting = SETTINGS[name];
    const given = pick(name, setting, sources, inFile);
    const schema = schemaOf(setting);
    const parsed = schema.safeParse(given?.value);
    origins.set(setting.path, given?.where ?? setting.path);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      // Another value stands in, so that what concerns several settings is still checked.
      values[name] = schema.parse(setting.type === 'address' ? SOME_ADDRESS : undefined);
      for (const issue of parsed.error.issues) {
        const where = given?.inside?.(issue.path) ?? `${given?.where ?? setting.path}${inWords(issue.path)}`;
        mistakes.push({ where, message: issue.message });
      }
    }
  }
  // Every setting was parsed by its own schema.
  const config = values as Config;
  // Read again, certificates that cannot be used keep those of before, and nothing else: a token may have been revoked.
  const found = [...crossChecks(config), ...(sources.again === true ? [] : tlsFileMistakes(config))];
  for (const { path, message } of found) mistakes.push({ where: originOf(path, origins), message });
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return config;
}

function originOf(path: string, origins: ReadonlyMap<string, string>): string {
  const setting = path.replace(/\[.*$/, '');
  return `${origins.get(setting) ?? setting}${path.slice(setting.length)}`;
}

function pick(
  name: SettingName,
  setting: Setting,
  sources: ConfigSources,
  inFile: ReadonlyMap<string, Given>,
): Given | undefined {
  const flag = sources.flags?.[name];
  if (flag !== undefined) return { value: flag, where: name === 'nodes' ? '--node' : `--${setting.path}` };
  const variable = environmentName(setting);
  const text = sources.env?.[variable];
  if (text !== undefined) {
    const value = name === 'nodes' ? splitNodes(text) : text;
    return { value, where: variable };
  }
  return inFile.get(setting.path);
}

/** A comma ends a node, but for those between the Sentinels of one. */
function splitNodes(text: string): string[] {
  return text.match(/(?:[^\s,=]+=)?sentinel:\/\/[^\s/]*\/[^\s,]*|[^\s,]+/g) ?? [];
}

/** @returns what is wrong with reading this file again; null: nothing, or that shows when it is read */
function passingFile(path: string, { again = false }: ConfigSources): string | null {
  if (!again) return null;
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined || status.isFile() ? null : `${path} is no regular file: it is read at the start only`;
}

function fromFileOrObject(sources: ConfigSources, mistakes: ConfigMistake[]): Map<string, Given> {
  const { file, settings } = sources;
  if (settings !== undefined) return readObject(settings, mistakes);
  return file === undefined ? new Map() : readFile(file, sources, mistakes);
}

/** Sections are objects in it, as they are in a file. */
function readObject(settings: object, mistakes: ConfigMistake[]): Map<string, Given> {
  const given = new Map<string, Given>();
  const walk = (section: object, prefix: string): void => {
    for (const [word, value] of Object.entries(section)) {
      const path = `${prefix}${word}`;
      if (value === undefined) continue;
      if (isSection(path) && typeof value === 'object' && value !== null) walk(value, `${path}.`);
      else if (isKnown(path)) given.set(path, { value, where: path });
      else mistakes.push({ where: path, message: `is not a setting${suggestion(path, PATHS)}` });
    }
  };
  walk(settings, '');
  return given;
}

function readFile(file: string, sources: ConfigSources, mistakes: ConfigMistake[]): Map<string, Given> {
  const given = new Map<string, Given>();
  let text: string;
  try {
    const passing = passingFile(file, sources);
    if (passing !== null) {
      mistakes.push({ where: file, message: passing });
      return given;
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    mistakes.push({
      where: file,
      message: `cannot be read: ${messageOf(error)}`,
    });
    return given;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const error of document.errors) {
    mistakes.push({ where: `${file}:${lines.linePos(error.pos[0]).line}`, message: error.message });
  }
  if (mistakes.length > 0 || document.contents === null) return given;
  if (!isMap(document.contents)) {
    mistakes.push({ where: file, message: 'expected settings, such as listen: 127.0.0.1:6380' });
    return given;
  }
  collect(document.contents, '', (path, value, offset) => {
    const at = (place: number): string => `${file}:${lines.linePos(place).line} ${path}`;
    const where = at(offset);
    const inside = (parts: readonly PropertyKey[]): string =>
      `${at(offsetWithin(value, parts, offset))}${inWords(parts)}`;
    if (isKnown(path)) given.set(path, { value: toPlain(value), where, inside });
    else mistakes.push({ where, message: `is not a setting${suggestion(path, PATHS)}` });
  });
  return given;
}

function isKnown(path: string): boolean {
  return NAMES.some((name) => SETTINGS[name].path === path);
}

function isSection(path: string): boolean {
  return PATHS.some((known) => known.startsWith(`${path}.`));
}

/** Walks the sections of the file down to the settings. */
function collect(
  map: { items: readonly unknown[] },
  prefix: string,
  found: (path: string, value: unknown, offset: number) => void,
): void {
  for (const item of map.items) {
    if (typeof item !== 'object' || item === null) continue;
    const key: unknown = Reflect.get(item, 'key');
    const value: unknown = Reflect.get(item, 'value');
    const path = `${prefix}${String(scalarOf(key))}`;
    if (isSection(path) && isMap(value)) collect(value, `${path}.`, found);
    else found(path, value, offsetOf(key));
  }
}

/** @param outer the offset of what the value is of @returns the offset of what stands there, or of the nearest around it */
function offsetWithin(value: unknown, [first, ...rest]: readonly PropertyKey[], outer: number): number {
  if (first === undefined) return outer;
  if (isSeq(value)) {
    const item = value.items[Number(first)];
    return item === undefined ? outer : offsetWithin(item, rest, offsetOf(item));
  }
  const pair = isMap(value) ? value.items.find(({ key }) => String(scalarOf(key)) === String(first)) : undefined;
  return pair === undefined ? outer : offsetWithin(pair.value, rest, offsetOf(pair.key));
}

function inWords(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
}

function scalarOf(node: unknown): unknown {
  return typeof node === 'object' && node !== null && 'value' in node ? node.value : node;
}

function toPlain(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node ?? undefined;
  const toJson: unknown = Reflect.get(node, 'toJSON');
  const plain: unknown = typeof toJson === 'function' ? toJson.call(node) : node;
  return plain ?? undefined;
}

function offsetOf(node: unknown): number {
  const range: unknown = typeof node === 'object' && node !== null ? Reflect.get(node, 'range') : undefined;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : 0;
}
