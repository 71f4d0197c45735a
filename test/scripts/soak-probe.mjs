// Loaded into each process of the proxy by `soak.mjs`: on SIGUSR2 it writes what it holds, before and after a collection.
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => {
  const before = process.memoryUsage();
  collect();
  const after = process.memoryUsage();
  writeFileSync(`${process.env.SOAK_DIR}/${process.pid}.json`, JSON.stringify({ before, after }));
});
