/** What a row of the table of settings may be, how its value is read, and how it is shown. */
import { z } from 'zod';
import { messageOf } from '../../errors.js';
import { formatAddress, parseAddress, withoutLogin } from '../../node/address.js';
import type { SettingForm, SettingRow, SettingValue } from '../../proxy/settings/form.js';
import { readRegularFile } from '../../regular-file.js';
import { commandNames, commandRenames } from '../command-names.js';
import { crossNodeUsers } from '../cross-node-users.js';
import { keyGroups } from '../key-groups.js';
import { FLAG_WORDS, formatDuration, formatSize, parseDuration, parseFlag, parseSize } from '../units.js';
import { userLimits } from '../user-limits.js';
import { users, usersFile } from '../users.js';

/** Forms that the data plane has no use for. */
type OwnForm =
  /** Where something listens; `off`: or nowhere. */
  | { readonly type: 'address'; readonly off: boolean; readonly default: string }
  /** A file's path; its value is what the file says, read once at the start; empty: there is none. */
  | { readonly type: 'file' }
  /** Of a form that no other setting has; `kind` and `default` are what people are shown. */
  | { readonly type: 'own'; readonly schema: z.ZodType; readonly kind: string; readonly default: string };

type Form = SettingForm | OwnForm;
type FormOf<Type extends Form['type']> = Extract<Form, { readonly type: Type }>;

export type Setting = SettingRow & Form;

/** What a setting is, once it is read. Durations in milliseconds, sizes in bytes. */
export type ValueOf<Row> = Row extends { readonly type: 'own'; readonly schema: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : Row extends { readonly type: 'address' | 'file' }
    ? string
    : SettingValue<Row>;

/** Of a file that is watched: the path is kept, and what is there is read where it is used, again when it changes. */
export const WATCHED_FILE = {
  type: 'own',
  schema: z.string({ message: 'expected a path' }).prefault(''),
  kind: 'path',
  default: '',
} as const;

interface Reading<Type extends Form['type']> {
  /** Reads what is given; what is not given (undefined) reads as the default. */
  schema(form: FormOf<Type>): z.ZodType;
  /** What may be written. */
  kind(form: FormOf<Type>): string;
  /** The default, as it would be written. */
  standard(form: FormOf<Type>): string;
}

/** Passwords, tokens and certificates are much smaller. */
const MOST_FILE_BYTES = 1_048_576;

/** A file's path, read as what the file says. */
export const namedFile = z.string({ message: 'expected a path' }).transform((path, context) => {
  if (path === '') return '';
  const fail = (message: string): never => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  try {
    const bytes = readRegularFile(path, MOST_FILE_BYTES);
    return bytes.length === 0 ? fail(`${path} is empty`) : bytes.toString('utf8');
  } catch (error) {
    return fail(messageOf(error));
  }
});

const fileText = namedFile.prefault('');

/** A range is shown up to here: larger bounds are there to catch slips. */
const MOST_SHOWN = 65_536;

const READINGS: { readonly [Type in Form['type']]: Reading<Type> } = {
  duration: {
    schema: (form) => quantity(form, 'duration', parseDuration, formatDuration),
    kind: () => 'duration',
    standard: (form) => form.default,
  },
  size: {
    schema: (form) => quantity(form, 'size', parseSize, formatSize),
    kind: () => 'size',
    standard: (form) => form.default,
  },
  count: {
    schema: ({ least, most, default: standard }) => {
      const message = `expected a whole number from ${least} to ${most}`;
      return z.coerce.number({ message }).int(message).min(least, message).max(most, message).prefault(standard);
    },
    kind: ({ least, most }) => (most <= MOST_SHOWN ? `${least} to ${most}` : 'count'),
    standard: (form) => String(form.default),
  },
  choice: {
    schema: ({ values, default: standard }) =>
      z.enum(values, { message: `expected one of ${values.join(', ')}` }).prefault(standard),
    kind: ({ values }) => listed(values),
    standard: (form) => form.default,
  },
  flag: {
    schema: (form) =>
      z
        .union([z.boolean(), z.enum(FLAG_WORDS)], {
          message: 'expected true or false',
        })
        .transform((value) => value === true || (value !== false && parseFlag(value) === true))
        .prefault(form.default),
    kind: () => 'true or false',
    standard: (form) => String(form.default),
  },
  text: {
    schema: (form) => z.string({ message: 'expected a text' }).prefault(form.default),
    kind: () => 'text',
    standard: (form) => form.default,
  },
  address: {
    schema: addressSchema,
    kind: (form) => (form.off ? 'address or off' : 'address'),
    standard: (form) => form.default,
  },
  file: { schema: () => fileText, kind: () => 'path', standard: () => '' },
  'key groups': { schema: () => keyGroups, kind: () => 'groups with prefixes', standard: () => '{}' },
  users: { schema: () => users, kind: () => 'users with rules', standard: () => '{}' },
  'users file': { schema: () => usersFile, kind: () => 'path', standard: () => '' },
  'cross-node by user': { schema: () => crossNodeUsers, kind: () => 'allow or refuse by user', standard: () => '{}' },
  'user limits': { schema: () => userLimits, kind: () => 'limits by user', standard: () => '{}' },
  commands: { schema: () => commandNames, kind: () => 'names of commands', standard: () => '[]' },
  'command renames': { schema: () => commandRenames, kind: () => 'names by command', standard: () => '{}' },
  own: { schema: (form) => form.schema, kind: (form) => form.kind, standard: (form) => form.default },
};

/** How the setting is read; undefined reads as its default. */
export function schemaOf(setting: Setting): z.ZodType {
  return readingOf(setting).schema(setting);
}

/** What may be written, in words. */
export function kindOf(setting: Setting): string {
  return readingOf(setting).kind(setting);
}

/** The default as it would be written; empty: nothing. */
export function defaultOf(setting: Setting): string {
  return readingOf(setting).standard(setting);
}

function readingOf<Type extends Form['type']>(form: { readonly type: Type }): Reading<Type> {
  return READINGS[form.type];
}

function quantity(
  form: FormOf<'duration'> | FormOf<'size'>,
  noun: string,
  parse: (value: unknown) => number | null,
  format: (value: number) => string,
): z.ZodType {
  const read = (text: string): number => parse(text) ?? Number.NaN;
  const [least, most, standard] = [read(form.least), read(form.most), read(form.default)];
  return z
    .unknown()
    .transform((value, context) => {
      const parsed = parse(value);
      if (parsed !== null && parsed >= least && parsed <= most) return parsed;
      context.addIssue({
        code: 'custom',
        message: `expected a ${noun} from ${format(least)} to ${format(most)}, such as ${format(standard)}`,
      });
      return z.NEVER;
    })
    .prefault(standard);
}

function addressSchema({ off, default: standard }: FormOf<'address'>): z.ZodType {
  return z
    .string({ message: 'expected an address' })
    .transform((value, context) => {
      if (off && value === 'off') return value;
      // The command line calls the admin API by its URL, under the same environment variable.
      const parsed = parseAddress(off ? value.replace(/^https?:\/\/([^/]+)\/?$/, '$1') : value);
      if (parsed !== null) return formatAddress(parsed);
      context.addIssue({
        code: 'custom',
        message: `'${withoutLogin(value)}' is not an address: expected HOST:PORT${off ? ' or off' : ', [IPV6]:PORT or unix:/PATH'}`,
      });
      return z.NEVER;
    })
    .prefault(standard);
}

function listed(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), words.at(-1)].filter((part) => part !== '').join(' or ');
}
