// What src/ARCHITECTURE.md says of the import rule, against the tables.
import { mayImportText, PARTS, proxyOrderText } from './table.mjs';

/** @returns one message for each row, or sentence, that the tables and the text do not have in common */
export function againstArchitecture(text) {
  const table = /\| folder \| .*\n\|[-|]+\n((?:\|.*\n)+)/.exec(text)?.[1] ?? '';
  const said = table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, parts = '', , mayImport = ''] = line.split('|').map((cell) => cell.trim());
      return rowText(parts, mayImport);
    });
  const meant = PARTS.map((row) => rowText(row.parts.map((part) => `\`${part}\``).join(', '), mayImportText(row)));
  const order = proxyOrderText();
  return [
    ...said.filter((row) => !meant.includes(row)).map((row) => `src/ARCHITECTURE.md alone has the row ${row}`),
    ...meant.filter((row) => !said.includes(row)).map((row) => `src/ARCHITECTURE.md lacks the row ${row}`),
    ...(text.includes(order) ? [] : [`src/ARCHITECTURE.md lacks the order ${order}`]),
  ];
}

const rowText = (parts, mayImport) => `| ${parts} | … | ${mayImport} |`;
