/** What stands in the documentation between marks, in whichever document. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.js';

const DOCS = join(ROOT, 'src/docs');

/** @returns the lines between `<!-- name:start -->` and `<!-- name:end -->`. @throws Error unless they stand there once */
export function documented(name: string): string {
  const marks = new RegExp(`<!-- ${name}:start -->\\n([\\s\\S]*?)\\n<!-- ${name}:end -->`);
  const found = documents().flatMap((text) => marks.exec(text)?.[1] ?? []);
  const [part] = found;
  if (part === undefined || found.length > 1) throw new Error(`${found.length} documents have the marks of ${name}`);
  return part;
}

/** @returns all of it, one document behind the other */
export function documentation(): string {
  return documents().join('\n');
}

function documents(): string[] {
  const docs = existsSync(DOCS) ? readdirSync(DOCS, { recursive: true, encoding: 'utf8' }) : [];
  const files = docs.filter((file) => file.endsWith('.md')).map((file) => join(DOCS, file));
  return [join(ROOT, 'README.md'), ...files].map((file) => readFileSync(file, 'utf8'));
}
