/** The tokens of the admin API, of all settings that give some. */
import type { Config } from './settings.js';

/** A token, and what whoever has it is called in the audit log. */
export interface NamedToken {
  readonly name: string;
  readonly token: string;
}

/** By what they are good for, the least first. */
const ROLES = ['viewer', 'operator', 'admin'] as const;
type Role = (typeof ROLES)[number];

/** Those that are valid, by what they are good for. */
export type AdminTokens = Readonly<Record<Role, readonly NamedToken[]>>;

type TokenSettings = Pick<
  Config,
  | 'adminToken'
  | 'adminTokenFile'
  | 'adminOperatorToken'
  | 'adminOperatorTokenFile'
  | 'adminViewerToken'
  | 'adminViewerTokenFile'
>;

/** The setting of each role, its value, and what its file says. */
interface Given {
  readonly path: string;
  readonly text: string;
  readonly file: string;
}

/** A name, or none, and a token. */
const LINE = /^(?:([A-Za-z0-9][\w.@+-]{0,63}):\s+)?(.+)$/;
/** Less is guessed, or is something else. A colon at the end is that of a name without a token. */
const TOKEN = /^[\x21-\x7e]{7,}[\x21-\x39\x3b-\x7e]$/;
const FORM =
  'each line is to be a token, or NAME: TOKEN (8 or more visible ASCII characters without blanks), or to begin with #';
/** So many lines with mistakes are named. */
const MOST_NAMED = 5;

export function adminTokens(config: TokenSettings): AdminTokens {
  const of = ({ path, text, file }: Given): NamedToken[] =>
    [{ name: path, token: text }, ...tokensIn(file, `${path}-file`)].filter(({ token }) => token !== '');
  const { viewer, operator, admin } = givenIn(config);
  return { viewer: of(viewer), operator: of(operator), admin: of(admin) };
}

/** @returns what the settings of tokens say against each other */
export function tokenMistakes(config: TokenSettings): { path: string; message: string }[] {
  const mistakes: { path: string; message: string }[] = [];
  const given = givenIn(config);
  const tokens = adminTokens(config);
  for (const role of ROLES) {
    const { path, text, file } = given[role];
    const lines = linesOf(file);
    const message = file === '' ? null : mistakeIn(lines);
    if (message !== null) mistakes.push({ path: `${path}-file`, message });
    if (text !== '' && lines.length > 0) {
      mistakes.push({ path, message: `stands in ${path}-file, too: give one of the two` });
    }
    if (role === 'admin') continue;
    const where = text === '' ? `${path}-file` : path;
    if (tokens[role].length > 0 && tokens.admin.length === 0) {
      mistakes.push({
        path: where,
        message: 'needs an admin-token beside it: where there is none, it is for everybody to change everything',
      });
    }
    const greater = ROLES.slice(ROLES.indexOf(role) + 1).find((other) =>
      tokens[role].some(({ token }) => tokens[other].some((one) => one.token === token)),
    );
    if (greater === undefined) continue;
    mistakes.push({
      path: where,
      message: `is an ${given[greater].path}, too: whoever had it could do all that one of the role ${greater} can`,
    });
  }
  return mistakes;
}

/**
 * @param text what such a file says
 * @param file what it is called, for tokens without a name
 * @returns its tokens, one of each line that is no comment; what a token may be is not looked at
 */
export function tokensIn(text: string, file: string): NamedToken[] {
  return linesOf(text).map(({ name, token, number }) => ({ name: name ?? `${file}:${number}`, token }));
}

interface Line {
  readonly name: string | undefined;
  readonly token: string;
  /** From 1 on. */
  readonly number: number;
}

/** @returns those that are neither empty nor comments */
function linesOf(text: string): Line[] {
  return text.split(/\r?\n/).flatMap((whole, index) => {
    const line = whole.trim();
    if (line === '' || line.startsWith('#')) return [];
    const [, name, token = line] = LINE.exec(line) ?? [];
    return [{ name, token, number: index + 1 }];
  });
}

/** @returns which lines are wrong, by their numbers: what they say may be a token, or a key; null: none */
function mistakeIn(lines: readonly Line[]): string | null {
  if (lines.length === 0) return `has no token: ${FORM}`;
  const wrong = lines.filter(({ token }) => !TOKEN.test(token)).map(({ number }) => number);
  if (wrong.length === 0) return null;
  const named = `${wrong.slice(0, MOST_NAMED).join(', ')}${wrong.length > MOST_NAMED ? ', ...' : ''}`;
  return `${FORM}: not so ${wrong.length === 1 ? 'line' : 'lines'} ${named}`;
}

function givenIn(config: TokenSettings): Readonly<Record<Role, Given>> {
  return {
    viewer: { path: 'admin-viewer-token', text: config.adminViewerToken, file: config.adminViewerTokenFile },
    operator: { path: 'admin-operator-token', text: config.adminOperatorToken, file: config.adminOperatorTokenFile },
    admin: { path: 'admin-token', text: config.adminToken, file: config.adminTokenFile },
  };
}
