// `npm run imports [-- --list] [-- --lower]`: checks the import rules (imports/table.mjs, imports/rules.mjs), prints how
// the files of src hang together, and compares that with what is recorded in imports/ratchet.json, which only goes
// down. `--list` prints the files of the largest circle, `--lower` records figures that are better. `--src DIR` measures
// another tree, without the ratchet.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../cli/bootstrap/project.mjs';
import { againstArchitecture } from './imports/architecture.mjs';
import { againstRatchet, checkImports } from './imports/check.mjs';

const RATCHET = join(root, 'test/scripts/imports/ratchet.json');

const { values } = parseArgs({
  options: { list: { type: 'boolean' }, lower: { type: 'boolean' }, src: { type: 'string' } },
});
const { faults, figures, hubs, circle, ratchet } = await checkImports(
  values.src === undefined ? root : resolve(values.src),
);
const recorded = JSON.parse(readFileSync(RATCHET, 'utf8'));

console.log(`src: ${figures.files} files, ${figures.arrows} arrows, largest circle ${ratchet.largestCircle}`);
console.log(
  `src/proxy: ${figures.filesOfProxy} files, ${figures.arrowsOfProxy} arrows (${figures.backArrows} back up, ` +
    `${figures.arrowsBetweenFeatures} between features), largest circle ${ratchet.largestCircleOfProxy}`,
);
console.log(
  `client-connection is imported by ${figures.importClientConnection} files, dispatcher by ${figures.importDispatcher}; ` +
    `${figures.valueCircles} circles of values`,
);
console.log(`most imported: ${hubs.map(([file, count]) => `${file.replace('src/proxy/', '')} ${count}`).join(', ')}`);
if (values.list) {
  console.log('the largest circle:');
  for (const file of circle) console.log(`  ${file}`);
}
for (const { rule, text } of faults) console.log(`error: ${rule}: ${text}`);
process.exitCode = faults.length === 0 ? 0 : 1;

if (values.src === undefined) {
  if (values.lower) {
    // What is worse stays an error.
    for (const [name, value] of Object.entries(ratchet)) recorded[name] = Math.min(value, recorded[name] ?? value);
    writeFileSync(RATCHET, `${JSON.stringify(recorded, null, 2)}\n`);
  }
  const architecture = readFileSync(join(root, 'src/ARCHITECTURE.md'), 'utf8');
  for (const message of [...againstArchitecture(architecture), ...againstRatchet(ratchet, recorded)]) {
    console.log(`error: ${message}`);
    process.exitCode = 1;
  }
}
