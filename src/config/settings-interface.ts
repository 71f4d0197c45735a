/** The settings as a TypeScript interface, for programs that start a proxy with an object in the place of a file. */
import { defaultOf, kindOf, type Setting } from './settings/setting.js';
import { SETTINGS } from './settings.js';

/** Of a line; a longer union is a line for each part. */
const WIDTH = 120;

type Form = Setting['type'];

/** What a value is written as, by the setting's form. */
const TYPES: { readonly [Type in Exclude<Form, 'choice' | 'own'>]: string } = {
  duration: 'string | number',
  size: 'string | number',
  count: 'number',
  flag: 'boolean',
  text: 'string',
  address: 'string',
  file: 'string',
  users: 'Readonly<Record<string, string | readonly string[]>>',
  'users file': 'string',
  'cross-node by user': "Readonly<Record<string, 'allow' | 'refuse'>>",
  'user limits': 'Readonly<Record<string, UserLimits>>',
  commands: 'string | readonly string[]',
  'command renames': 'string | Readonly<Record<string, string>>',
  'key groups': 'Readonly<Record<string, string | readonly string[] | Readonly<Record<string, unknown>>>>',
};

/** Of forms that no other setting has, by what people are shown of them; a text where nothing stands here. */
const OWN_TYPES: Readonly<Record<string, string>> = {
  'list of nodes': 'readonly (string | NodeSettings)[]',
  'list of certificates': 'readonly { readonly cert: string; readonly key: string }[]',
  '1 to 64, or auto': "number | 'auto'",
  patterns: 'readonly string[]',
  URLs: 'string | readonly string[]',
};

const HEAD = `/** The settings of a configuration file, as an object; npm run docs writes this file, of the table of settings. */

/** A node of the first generation. */
export interface NodeSettings {
  /** Its identity on the ring; without one its address. */
  readonly name?: string;
  /** HOST:PORT. */
  readonly address: string;
  readonly weight?: number;
  readonly username?: string;
  readonly password?: string;
  /** File with the password, instead of \`password\`. */
  readonly 'password-file'?: string;
  /** Where the other nodes find it, HOST:PORT, if not under its address. */
  readonly 'peer-address'?: string;
  /** Whether it is spoken to by TLS; \`rediss://\` in front of its address says so, too. */
  readonly tls?: boolean;
  /** Name or IP address that its certificate bears, if not the host of its address. */
  readonly 'tls-server-name'?: string;
  /** Files in PEM, instead of those that are used with all nodes. */
  readonly 'tls-ca'?: string;
  readonly 'tls-cert'?: string;
  readonly 'tls-key'?: string;
}

/** Limits of one user; what is not said is as for all users, 0 is any number. */
export interface UserLimits {
  readonly 'max-clients'?: number;
  /** A second. */
  readonly commands?: number;
  /** A second. */
  readonly bytes?: string | number;
}

/** Durations are texts such as \`500ms\` or \`10s\`, or milliseconds; sizes such as \`64kb\`, or bytes. */
`;

/** @returns the text of \`src/library/settings.ts\` */
export function settingsInterface(): string {
  const settings: Setting[] = Object.values(SETTINGS);
  const sections = new Set(settings.flatMap(({ path }) => (path.includes('.') ? [path.replace(/\..*/, '')] : [])));
  const top = settings.filter(({ path }) => !path.includes('.')).map((setting) => member(setting, setting.path, '  '));
  const nested = [...sections].map((name) => {
    const inside = settings.filter(({ path }) => path.startsWith(`${name}.`));
    const members = inside.map((setting) => member(setting, setting.path.slice(name.length + 1), '    '));
    return `  readonly ${name}?: {\n${members.join('')}  };\n`;
  });
  return `${HEAD}export interface ProxySettings {\n${[...top, ...nested].join('')}}\n`;
}

function member(setting: Setting, word: string, indent: string): string {
  const standard = defaultOf(setting);
  const help = `${setting.help}${standard === '' ? '' : ` (default: ${standard})`}`;
  const name = /^\w+$/.test(word) ? word : `'${word}'`;
  const type = typeOf(setting);
  const line = `${indent}readonly ${name}?: ${type};`;
  const listed = [`${indent}readonly ${name}?:`, ...type.split(' | ').map((part) => `${indent}  | ${part}`)].join('\n');
  return `${indent}/** ${help} */\n${line.length <= WIDTH ? line : `${listed};`}\n`;
}

function typeOf(setting: Setting): string {
  if (setting.type === 'choice') return setting.values.map((value) => `'${value}'`).join(' | ');
  if (setting.type === 'own') return OWN_TYPES[kindOf(setting)] ?? 'string';
  return TYPES[setting.type];
}
