/** What a row of the table of settings says, and what its value is once it is read. */
import type { WrittenUser } from '../../commands/rights/user.js';
import type { KeyGroup } from '../caching/policy.js';

type Duration = `${number}${'ms' | 's' | 'm' | 'h'}` | '0';
type Size = `${number}${'kb' | 'mb' | 'gb'}` | '0';

/** What one user may do, where that is not as for all users; 0: any number. */
export interface UserLimit {
  readonly name: string;
  /** At a time. */
  readonly clients?: number;
  /** A second. */
  readonly commands?: number;
  /** A second, of what its clients send. */
  readonly bytes?: number;
}

/** What an operator may write, and what stands when nothing is written. Bounds are inclusive. */
export type SettingForm =
  | { readonly type: 'duration'; readonly least: Duration; readonly most: Duration; readonly default: Duration }
  | { readonly type: 'size'; readonly least: Size; readonly most: Size; readonly default: Size }
  | { readonly type: 'count'; readonly least: number; readonly most: number; readonly default: number }
  | { readonly type: 'choice'; readonly values: readonly string[]; readonly default: string }
  | { readonly type: 'flag'; readonly default: boolean }
  | { readonly type: 'text'; readonly default: string }
  | { readonly type: 'key groups' }
  | { readonly type: 'users' }
  /** Its value is what the file at this path says. */
  | { readonly type: 'users file' }
  | { readonly type: 'user limits' }
  /** By user. */
  | { readonly type: 'cross-node by user' }
  /** Names of commands. */
  | { readonly type: 'commands' }
  /** Commands, with the names that they have instead of their own. */
  | { readonly type: 'command renames' };

export interface SettingRow {
  /** Where it stands in the YAML file, such as `ring.hash`. */
  readonly path: string;
  /** What it is for, in one line. */
  readonly help: string;
  /** The form of its value, when `serve` has a flag for it. */
  readonly flag?: string;
}

/** What each type is, once it is read. Durations in milliseconds, sizes in bytes. */
interface Values {
  duration: number;
  size: number;
  count: number;
  flag: boolean;
  text: string;
  'key groups': readonly KeyGroup[];
  users: readonly WrittenUser[];
  'users file': readonly WrittenUser[];
  'user limits': readonly UserLimit[];
  'cross-node by user': Readonly<Record<string, 'allow' | 'refuse'>>;
  commands: readonly string[];
  'command renames': Readonly<Record<string, string>>;
}

export type SettingValue<Form> = Form extends { readonly type: 'choice'; readonly values: readonly (infer Value)[] }
  ? Value
  : Form extends { readonly type: infer Type extends keyof Values }
    ? Values[Type]
    : never;

/** Settings by the names that the code has for them. */
export type SettingRows = Readonly<Record<string, SettingRow & SettingForm>>;
