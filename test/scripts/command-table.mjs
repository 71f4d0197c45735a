// `npm run command-table`: writes the README's table of commands anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from '../../cli/bootstrap/build.mjs';
import { fail, root } from '../../cli/bootstrap/project.mjs';

if (buildIfStale({ checkTypes: false }) !== 0) fail('The build failed: see the messages above.');
const { commandReference } = await import(pathToFileURL(join(root, 'dist/src/commands/reference.js')).href);
const file = join(root, 'README.md');
const marks = /(<!-- commands:start -->\n)[\s\S]*?(\n<!-- commands:end -->)/;
writeFileSync(
  file,
  readFileSync(file, 'utf8').replace(marks, (_all, start, end) => start + commandReference() + end),
);
