import { isInstalled } from '../../cli/bootstrap/programs.mjs';
import { type Application, INTERPRETERS } from './table.js';

/**
 * What runs an application, if its library is installed: some systems do not package it.
 * @returns the path of the interpreter, or null
 * @throws Error in CI when there is none: there nothing is skipped
 */
export function findInterpreter({ name, language, library }: Application): string | null {
  if (library === null || isInstalled(library)) return INTERPRETERS[language];
  if (process.env.CI)
    throw new Error(`${name} is not installed (${library}): in CI, what needs it must not be skipped`);
  return null;
}
