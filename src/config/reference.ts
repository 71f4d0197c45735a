import { environmentName } from './environment.js';
import { defaultOf, kindOf, type Setting } from './settings/setting.js';
import { SETTINGS } from './settings.js';

/** @returns the table of all settings, in Markdown */
export function configReference(): string {
  const rows = Object.values(SETTINGS).map((setting: Setting) => {
    const standard = defaultOf(setting) === '' ? 'empty' : `\`${defaultOf(setting)}\``;
    return `| \`${setting.path}\` | ${kindOf(setting)} | ${standard} | \`${environmentName(setting)}\` | ${setting.help} |`;
  });
  return ['| setting | value | default | environment | what it is for |', '|---|---|---|---|---|', ...rows].join('\n');
}
