// `npm run dashboards`: compiles the dashboards to .cache/dashboards (Node.js 20 runs no TypeScript) and writes what
// Grafana reads to compose/grafana/dashboards.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureDependencies } from '../../cli/bootstrap/dependencies.mjs';
import { fail, requireNode, root, runTool } from '../../cli/bootstrap/project.mjs';

requireNode();
ensureDependencies();
if (runTool('typescript', 'tsc', ['-p', 'compose/dashboards/tsconfig.json']) !== 0) {
  fail('The dashboards do not compile: see the messages above.');
}
const { allDashboards, fileText } = await import(pathToFileURL(join(root, '.cache/dashboards/index.js')).href);
const folder = join(root, 'compose/grafana/dashboards');
mkdirSync(folder, { recursive: true });
for (const [name, dashboard] of allDashboards()) {
  writeFileSync(join(folder, name), fileText(dashboard));
  console.log(`compose/grafana/dashboards/${name}`);
}
