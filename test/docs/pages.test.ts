/** The documentation holds together: links lead somewhere, indexes are whole, decisions have one form. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/root.js';

/** Folders of the project that have pages, and the root, of which only the files count. */
const FOLDERS = ['src', 'cli', 'test', 'compose', '.github'];

const CODE_BLOCK = /^```[\s\S]*?^```$/gm;

function pages(): string[] {
  const deep = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  return [...readdirSync(ROOT), ...deep].filter((name) => name.endsWith('.md'));
}

/** What is set as code is no link. */
function withoutCode(text: string): string {
  return text.replace(CODE_BLOCK, '').replace(/`[^`\n]*`/g, '');
}

/** @returns what GitHub makes the anchors of a page's headings */
function anchors(text: string): Set<string> {
  const found = new Set<string>();
  for (const [, title = ''] of text.replace(CODE_BLOCK, '').matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const slug = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; found.has(anchor); n++) anchor = `${slug}-${n}`;
    found.add(anchor);
  }
  return found;
}

/** @returns the links of a page that lead nowhere */
function broken(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
    if (relative(ROOT, target).startsWith('..') || !existsSync(target)) return true;
    if (anchor === undefined) return false;
    return !statSync(target).isFile() || !anchors(readFileSync(target, 'utf8')).has(anchor);
  });
}

describe('links', () => {
  it.each(pages())('%s', (page) => {
    expect(broken(page)).toEqual([]);
  });

  it.each(['src/docs', 'src/decisions'])('lead from the index of %s to each of its pages', (folder) => {
    const index = readFileSync(join(ROOT, folder, 'README.md'), 'utf8');
    const files = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.md') && name !== 'README.md');
    expect(files.filter((name) => !index.includes(`](${name})`))).toEqual([]);
  });
});

it('each threat that is said to be defended names tests that there are', () => {
  const text = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
  const rows = [...text.matchAll(/^\|.+\| ([^|]+) \|$/gm)].slice(1).map(([row, tests = '']) => ({ row, tests }));
  expect(rows.length).toBeGreaterThan(15);
  for (const { row, tests } of rows) {
    const files = [...tests.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file);
    expect(files, row).not.toEqual([]);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  }
});

describe('decisions', () => {
  const records = readdirSync(join(ROOT, 'src/decisions'))
    .filter((name) => name !== 'README.md')
    .sort();

  it('are numbered without gaps', () => {
    expect(records.map((name) => Number(name.slice(0, 4)))).toEqual(records.map((_name, i) => i + 1));
  });

  it.each(records)('%s says its status, context, decision and consequences', (name) => {
    const text = readFileSync(join(ROOT, 'src/decisions', name), 'utf8');
    expect(text).toMatch(/^# \d+\. .+\n\n(?:Accepted|Planned|Replaced by \[.+\]\(.+\)), \d{4}-\d\d-\d\d/);
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual([
      'Context',
      'Decision',
      'Consequences',
    ]);
  });
});
