// Makes few files of the program's own modules, since Node.js takes longer to find and link a thousand of them than to
// run them. What it uses of packages stays outside: whoever installs it has those that npm gives him.
//   node bundle.mjs DIST
import { realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

/** Below DIST: what is started as a program, and what it is called in the bundle. */
const ENTRIES = { 'cli/main.js': 'main', 'src/plane/workers/worker/worker-main.js': 'worker' };
const FOLDER = 'bundle';

const dist = realpathSync(process.argv[2] ?? 'dist');
const bundle = await rolldown({
  input: Object.fromEntries(Object.entries(ENTRIES).map(([file, name]) => [name, join(dist, file)])),
  platform: 'node',
  external: (id) => !id.startsWith('.') && !id.startsWith(dist),
  plugins: [{ name: 'places', transform: (code, id) => inPlace(code, relative(dist, id)) }],
});
const names = { entryFileNames: '[name].js', chunkFileNames: '[name].js' };
await bundle.write({ dir: join(dist, FOLDER), format: 'esm', comments: false, ...names });
await bundle.close();
// They are started where they always were.
for (const [file, name] of Object.entries(ENTRIES)) {
  writeFileSync(
    join(dist, file),
    `#!/usr/bin/env node\nimport '${relative(dirname(file), join(FOLDER, `${name}.js`))}';\n`,
  );
}

/** A module finds what lies beside it (the page, other programs, package.json) from where it was compiled to. */
function inPlace(code, file) {
  return code.replaceAll('import.meta.url', `new URL('../${file}', import.meta.url).href`);
}
