import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/root.js';

/** By file of `src/proxy/measure`: methods that can be left out, and what they return then. */
export type Switched = Readonly<Record<string, Readonly<Record<string, string>>>>;

export const COUNTING: Switched = {
  'counters.js': { answered: '', read: '' },
  'histogram.js': { record: '' },
  'key-groups.js': { note: '', noteKey: '' },
};
/** What is drawn and not looked at: as seldom as with many commands a second. */
export const HOT_KEYS: Switched = { 'hot-keys/hot-keys.js': { draw: '32' } };
/** Only what stands in front of a method's name in the compiled program. */
const INDENT = '    ';

/** Sent to a process of the build, it switches counting off, and on again. */
export const SWITCH_SIGNAL = 'SIGUSR2';

/**
 * A build that counts (commands, hits, misses and times, or hot keys) only while it is told to: what that
 * costs cannot be switched off in the product, since `stats`, `top` and INFO live on it, too. What is left are single
 * additions to fields (bytes, commands of a node, commands until the next one that is drawn).
 * @returns its main file
 * @throws Error when the build has no such methods any more
 */
export function switchedBuild(switched: Switched): string {
  const folder = join(ROOT, '.cache/switched');
  rmSync(folder, { recursive: true, force: true });
  // As modules: in the build itself what runs is a bundle of them.
  const compile = ['-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist'), '--noCheck'];
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...compile], { cwd: ROOT });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  for (const [file, methods] of Object.entries(switched)) {
    const path = join(folder, 'dist/src/proxy/measure', file);
    const lines = readFileSync(path, 'utf8').split('\n');
    for (const [method, returned] of Object.entries(methods)) {
      const at = lines.findIndex((line) => line.startsWith(`${INDENT}${method}(`) && line.endsWith('{'));
      if (at < 0) throw new Error(`${path} has no method ${method}: what does it count by now?`);
      lines.splice(at + 1, 0, `if (!counting) return ${returned};`);
    }
    lines.push('let counting = true;', `process.on('${SWITCH_SIGNAL}', () => { counting = !counting; });`);
    writeFileSync(path, lines.join('\n'));
  }
  return join(folder, 'dist/cli/main.js');
}
