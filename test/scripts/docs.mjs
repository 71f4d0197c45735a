// `npm run docs`: writes the tables in src/docs that are made from the code anew.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from '../../cli/bootstrap/build.mjs';
import { apiReport } from '../../cli/bootstrap/declarations.mjs';
import { fail, root } from '../../cli/bootstrap/project.mjs';
import { answerSchemas, writtenSchemas } from './answer-schemas.mjs';

if (buildIfStale({ checkTypes: false }) !== 0) fail('The build failed: see the messages above.');

const { cliReference } = await imported('cli/reference.js');
const { buildProgram } = await imported('cli/program.js');

/** The page, the name of the marks around the table, and what makes it. */
const TABLES = [
  ['cli.md', 'cli', () => cliReference(buildProgram())],
  ['commands.md', 'commands', await from('commands/reference.js', 'commandReference')],
  ['commands.md', 'occasions', await from('commands/reference-occasions.js', 'occasionReference')],
  ['cross-node.md', 'cross-node', await from('commands/reference-cross-node.js', 'crossNodeReference')],
  ['settings.md', 'config', await from('config/reference.js', 'configReference')],
  ['caching-types.md', 'policies', await from('config/cache-policy.js', 'policyReference')],
  ['admin-api.md', 'routes', await from('admin/routes/reference.js', 'routeReference')],
  ['errors.md', 'own-errors', await from('proxy/request/own-errors.js', 'ownErrorReference')],
  ['errors.md', 'errors', await from('errors.js', 'errorReference')],
  ['metrics.md', 'metrics', await from('telemetry/metric-sources/reference.js', 'metricReference')],
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

writeFileSync(
  join(root, 'src/library/settings.ts'),
  (await from('config/settings-interface.js', 'settingsInterface'))(),
);
const schemas = answerSchemas([...(await from('admin/routes/table.js', 'answersOfRoutes'))(), 'ApiError']);
for (const [file, text] of schemas) writeFileSync(join(root, file), text);
for (const file of writtenSchemas().keys()) if (!schemas.has(file)) rmSync(join(root, file));
// What programs can import of the package: a change of it is seen in the change of this file.
writeFileSync(join(root, 'test/library/api.txt'), apiReport());

async function from(file, name) {
  return (await imported(`src/${file}`))[name];
}

function imported(file) {
  return import(pathToFileURL(join(root, 'dist', file)).href);
}
