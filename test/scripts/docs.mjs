// `npm run docs`: writes the tables in src/docs that are made from the code anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from '../../cli/bootstrap/build.mjs';
import { fail, root } from '../../cli/bootstrap/project.mjs';

if (buildIfStale({ checkTypes: false }) !== 0) fail('The build failed: see the messages above.');

/** The page, the name of the marks around the table, and what makes it. */
const TABLES = [
  ['commands.md', 'commands', await from('commands/reference.js', 'commandReference')],
  ['settings.md', 'config', await from('config/reference.js', 'configReference')],
  ['errors.md', 'own-errors', await from('proxy/request/own-errors.js', 'ownErrorReference')],
  ['errors.md', 'errors', await from('errors.js', 'errorReference')],
  ['nodes.md', 'rights', await from('node-rights.js', 'rightsReference')],
];

for (const [page, name, make] of TABLES) {
  const file = join(root, 'src/docs', page);
  const marks = new RegExp(`(<!-- ${name}:start -->\n)[\\s\\S]*?(\n<!-- ${name}:end -->)`);
  const text = readFileSync(file, 'utf8');
  if (!marks.test(text)) fail(`src/docs/${page} has no <!-- ${name}:start --> and <!-- ${name}:end -->`);
  writeFileSync(
    file,
    text.replace(marks, (_all, start, end) => start + make() + end),
  );
}

async function from(file, name) {
  return (await import(pathToFileURL(join(root, 'dist/src', file)).href))[name];
}
