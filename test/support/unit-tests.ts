/** What kinds of tests there are, by what their files import. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** With it a test starts whatever it starts: nodes, proxies, workers, browsers. */
const STARTS_PROGRAMS = /^node:child_process$/;
/** What compiles the whole program takes a quarter of a minute. */
const COMPILES = /^typescript$/;
/** What explores every order of a protocol's steps takes a minute. */
const EXPLORES = /\/model\//;
/** Pure computing for a minute: simulations of a fleet over hours. */
const LONG = ['fleet/simulation.test.ts', 'fleet/soft-state/cost.test.ts'];
/** Imports and exports of values from other modules; what is imported as a type alone is not there at run time. */
const IMPORT = /^(?:import|export)\s+(?!type\s)(?:[^;'"]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;

/** @returns the test files below a folder that need no server and take moments */
export function unitTests(folder: string): string[] {
  const long = LONG.map((name) => join(folder, name));
  return testsWithout(folder, [STARTS_PROGRAMS, COMPILES, EXPLORES]).filter((file) => !long.includes(file));
}

/** @returns those that start no program: no other one can disturb their timing, nor they each other's much */
export function testsWithoutPrograms(folder: string): string[] {
  return testsWithout(folder, [STARTS_PROGRAMS]);
}

/** @returns the test files below a folder that import nothing like that, nor anything that does */
function testsWithout(folder: string, unwanted: readonly RegExp[]): string[] {
  const known = new Map<string, readonly string[]>();
  const importsOf = (file: string): readonly string[] => {
    const names = known.get(file) ?? [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((m) => m[1] ?? m[2] ?? '');
    known.set(file, names);
    return names;
  };
  const isWanted = (test: string): boolean => {
    const reached = new Set([test]);
    for (const file of reached) {
      for (const name of importsOf(file)) {
        if (unwanted.some((pattern) => pattern.test(name))) return false;
        const imported = resolve(dirname(file), name.replace(/\.js$/, '.ts'));
        if (name.startsWith('.') && existsSync(imported)) reached.add(imported);
      }
    }
    return true;
  };
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .filter(isWanted)
    .sort();
}
