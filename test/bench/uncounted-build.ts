import { appendFileSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/root.js';

/** What is left out, by file of `src/proxy/measure`: methods that do nothing instead. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  'counters.js': ['Counters.prototype.answered', 'Counters.prototype.read'],
  'histogram.js': ['Histogram.prototype.record'],
};

/**
 * A copy of the build that counts no commands, hits, misses and times: what metrics cost cannot be switched off in the
 * product, since `stats`, `top` and INFO live on it, too. What is left are single additions to fields (bytes,
 * commands of a node).
 * @returns its main file
 * @throws Error when the build has no such classes any more
 */
export function uncountedBuild(): string {
  const folder = join(ROOT, '.cache/uncounted');
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  for (const [file, methods] of Object.entries(LEFT_OUT)) {
    const path = join(folder, 'dist/src/proxy/measure', file);
    const text = readFileSync(path, 'utf8');
    for (const method of methods) {
      const [name = '', , member = ''] = method.split('.');
      if (!text.includes(`class ${name} `) || !text.includes(`    ${member}(`)) {
        throw new Error(`${path} has no ${method}: what does it count by now?`);
      }
      appendFileSync(path, `\n${method} = function () {};\n`);
    }
  }
  return join(folder, 'dist/cli/main.js');
}
