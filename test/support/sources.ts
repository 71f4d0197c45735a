/** The project's sources as the compiler sees them, with changes that are not on the disk. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './root.js';

/** In this file, what it says is replaced by something else. */
export type Edit = readonly [file: string, before: string, after: string];

/** @param roots files, with all that they import; paths from the project's folder */
export function compile(roots: readonly string[], edits: readonly Edit[] = []): ts.Program {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  const texts = new Map<string, string>();
  for (const [file, before, after] of edits) {
    const path = join(ROOT, file);
    const text = texts.get(path) ?? readFileSync(path, 'utf8');
    if (!text.includes(before)) throw new Error(`${file} does not say ${before}`);
    texts.set(
      path,
      text.replace(before, () => after),
    );
  }
  const host = ts.createCompilerHost(options);
  const read = host.readFile.bind(host);
  host.readFile = (path) => texts.get(path) ?? read(path);
  return ts.createProgram(
    roots.map((root) => join(ROOT, root)),
    options,
    host,
  );
}

/** @returns the file's path from the project's folder */
export function pathOf(file: ts.SourceFile | undefined): string {
  return file?.fileName.slice(ROOT.length + 1) ?? '';
}
