import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/root.js';

/** What can be left out, by file of `src/proxy/measure`: methods that return nothing. */
const SWITCHED: Readonly<Record<string, readonly string[]>> = {
  'counters.js': ['answered', 'read'],
  'histogram.js': ['record'],
  'key-groups.js': ['note', 'noteKey'],
};
/** Only what stands in front of a method's name in the compiled program. */
const INDENT = '    ';

/** Sent to a process of the build, it switches counting off, and on again. */
export const SWITCH_SIGNAL = 'SIGUSR2';

/**
 * A copy of the build that counts commands, hits, misses and times only while it is told to: what metrics cost cannot
 * be switched off in the product, since `stats`, `top` and INFO live on it, too. What is left are single additions to
 * fields (bytes, commands of a node).
 * @returns its main file
 * @throws Error when the build has no such methods any more
 */
export function switchedBuild(): string {
  const folder = join(ROOT, '.cache/switched');
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  for (const [file, methods] of Object.entries(SWITCHED)) {
    const path = join(folder, 'dist/src/proxy/measure', file);
    const lines = readFileSync(path, 'utf8').split('\n');
    for (const method of methods) {
      const at = lines.findIndex((line) => line.startsWith(`${INDENT}${method}(`) && line.endsWith('{'));
      if (at < 0) throw new Error(`${path} has no method ${method}: what does it count by now?`);
      lines.splice(at + 1, 0, 'if (!counting) return;');
    }
    lines.push('let counting = true;', `process.on('${SWITCH_SIGNAL}', () => { counting = !counting; });`);
    writeFileSync(path, lines.join('\n'));
  }
  return join(folder, 'dist/cli/main.js');
}
