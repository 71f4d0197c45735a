// `npm run demo` on a fresh clone: installs and builds what is missing, then runs `ringproxy demo`.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from './build.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { ensurePrograms } from './programs.mjs';
import { environment, fail, requireNode, root } from './project.mjs';

requireNode();
ensureDependencies();
ensurePrograms(['redis-server']);
if (buildIfStale({ checkTypes: false }) !== 0) fail('The build failed: see the messages above.');

// In this process, not in a child: signals and the exit code are then the program's own.
const main = join(root, 'dist/cli/main.js');
process.env.PATH = environment.PATH;
process.argv = [process.execPath, main, 'demo', ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
