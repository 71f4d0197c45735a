// `npm run bench`: installs and builds what is missing, compiles the benchmarks to .cache/bench (Node.js 20 runs no
// TypeScript) and runs them. `npm run bench -- --help` lists the options.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from '../../cli/bootstrap/build.mjs';
import { ensureDependencies } from '../../cli/bootstrap/dependencies.mjs';
import { ensurePrograms } from '../../cli/bootstrap/programs.mjs';
import { environment, fail, requireNode, root, runTool } from '../../cli/bootstrap/project.mjs';
import { recommendedNode } from '../../cli/bootstrap/recommended-node.mjs';

requireNode();
ensureDependencies();
ensurePrograms(['redis-server', 'redis-benchmark'], ['nutcracker']);
if (buildIfStale({ checkTypes: false }) !== 0) fail('The build failed: see the messages above.');
if (runTool('typescript', 'tsc', ['-p', 'test/bench/tsconfig.json', '--noCheck']) !== 0) {
  fail('The benchmarks do not compile: see the messages above.');
}
process.env.PATH = environment.PATH;
// Unless another one is named, the product and the floor run on the recommended Node.js, where it is there.
if (!process.argv.some((argument) => /^--node(?:=|$)/.test(argument))) {
  process.argv.push('--node', recommendedNode() ?? process.execPath);
}
await import(pathToFileURL(join(root, '.cache/bench/test/bench/main.js')).href);
