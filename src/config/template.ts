import { stringify } from 'yaml';
import { environmentName } from './environment.js';
import { defaultOf, kindOf, type Setting } from './settings/setting.js';
import { SETTINGS } from './settings.js';

const HEAD = `# ringproxy's configuration: ringproxy serve -c THIS-FILE
# Every setting with its default, which is in force while the line is a comment.
# A flag beats the environment, that this file. ringproxy config check THIS-FILE says what is wrong with it.

# The nodes of the first generation, as NAME=HOST:PORT, with *WEIGHT behind it if it is not 1; later ones are added by
# ringproxy ring add, or by ringproxy ring apply -f THIS-FILE.
nodes:
  - a=127.0.0.1:7001
  - b=127.0.0.1:7002
  - c=127.0.0.1:7003
`;

/** @returns a file with every setting as a comment that may be uncommented as it is, and nodes to be replaced by one's own */
export function configTemplate(): string {
  const settings: Setting[] = Object.values(SETTINGS);
  const top = settings.filter(({ path }) => path !== 'nodes' && !path.includes('.'));
  const sections = new Set(settings.flatMap(({ path }) => (path.includes('.') ? [path.replace(/\..*/, '')] : [])));
  return [
    HEAD,
    ...top.map((setting) => entry(setting, setting.path, '')),
    ...[...sections].map((name) => {
      const inside = settings.filter(({ path }) => path.startsWith(`${name}.`));
      const entries = inside.map((setting) => entry(setting, setting.path.slice(name.length + 1), '  '));
      return [`# ${name}:\n`, ...entries].join('');
    }),
  ].join('\n');
}

function entry(setting: Setting, word: string, indent: string): string {
  const help = `# ${indent}# ${setting.help} (${kindOf(setting)}; ${environmentName(setting)})`;
  return `${indent === '' ? help.replace('# #', '#') : help}\n# ${indent}${word}: ${written(setting)}\n`;
}

/** As YAML reads it: a text that would be something else is quoted. */
function written(setting: Setting): string {
  const text = defaultOf(setting);
  const isObject = ['key groups', 'users', 'command renames', 'cross-node by user', 'user limits'].includes(
    setting.type,
  );
  const isPlain = text === '[]' || isObject || /^(\d+|true|false)$/.test(text);
  return isPlain ? text : stringify(text, { lineWidth: 0 }).trimEnd();
}
