// `npm run tables`: writes the documentation's tables anew that are made from the code, each between its marks.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from '../../cli/bootstrap/build.mjs';
import { fail, root } from '../../cli/bootstrap/project.mjs';

if (buildIfStale({ checkTypes: false }) !== 0) fail('The build failed: see the messages above.');

const load = (module) => import(pathToFileURL(join(root, 'dist/src', module)).href);
const { commandReference } = await load('commands/reference.js');
const { configReference } = await load('config/reference.js');
const { errorReference } = await load('errors.js');
const { rightsReference } = await load('node-rights.js');
const tables = {
  commands: commandReference(),
  config: configReference(),
  errors: errorReference(),
  rights: rightsReference(),
};

const docs = join(root, 'src/docs');
const files = existsSync(docs) ? readdirSync(docs, { recursive: true }).filter((file) => file.endsWith('.md')) : [];
for (const file of [join(root, 'README.md'), ...files.map((name) => join(docs, name))]) {
  const text = readFileSync(file, 'utf8');
  const written = text.replace(/<!-- ([a-z]+):start -->\n[\s\S]*?<!-- \1:end -->/g, (all, name) =>
    tables[name] === undefined ? all : `<!-- ${name}:start -->\n${tables[name]}\n<!-- ${name}:end -->`,
  );
  if (written !== text) writeFileSync(file, written);
}
