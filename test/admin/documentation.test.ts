/** What the page on the admin API says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseChange } from '../../src/admin/change-request.js';
import { ROOT } from '../support/root.js';

const page = readFileSync(join(ROOT, 'src/docs/admin-api.md'), 'utf8');

it('shows the paths that GET /v1 lists', () => {
  const source = readFileSync(join(ROOT, 'src/admin/server.ts'), 'utf8');
  const index = /const INDEX = `([^`]+)`/.exec(source)?.[1] ?? '';
  expect(index).toContain('/v1/ring');
  expect(/```\n(ringproxy admin API\n[\s\S]*?)```/.exec(page)?.[1]).toBe(index);
});

it('shows changes that are understood', () => {
  const lines = /<!-- changes-example -->\n```json\n([\s\S]*?)\n```/.exec(page)?.[1]?.split('\n') ?? [];
  const kinds = lines.map((line) => parseChange(JSON.parse(line)).kind);
  expect(kinds).toEqual(['add', 'remove', 'reweight', 'replace', 'add', 'apply']);
});
