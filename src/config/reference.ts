import { environmentName } from './load.js';
import { SETTINGS, type Setting } from './settings.js';

/** @returns the table of all settings, in Markdown */
export function configReference(): string {
  const rows = Object.values(SETTINGS).map((setting: Setting) => {
    const standard = setting.default === '' ? 'empty' : `\`${setting.default}\``;
    return `| \`${setting.path}\` | ${setting.kind} | ${standard} | \`${environmentName(setting)}\` | ${setting.help} |`;
  });
  return ['| setting | value | default | environment | what it is for |', '|---|---|---|---|---|', ...rows].join('\n');
}
