import { partsOf, routeRows } from './table.js';

/** @returns the table of all routes, in Markdown */
export function routeReference(): string {
  const rows = routeRows().map(([name, { needs, raised, help, answer = '', query = {}, body }]) => {
    const { method, path } = partsOf(name);
    const words = Object.keys(query).map((word) => `\`${word}\``);
    const takes = [...(words.length === 0 ? [] : [`?${words.join(', ')}`]), ...(body === undefined ? [] : ['a body'])];
    const more =
      raised === undefined ? '' : `; ${raised.needs} with ${raised.words.map((word) => `\`${word}\``).join(', ')}`;
    const role = `${needs === 'nobody' ? 'everybody' : needs}${more}`;
    return `| \`${method} ${path}\` | ${role} | ${help} | ${takes.join('; ')} | ${answer === '' ? '' : `\`${answer}\``} |`;
  });
  return ['| route | for | does | takes | answers |', '|---|---|---|---|---|', ...rows].join('\n');
}
