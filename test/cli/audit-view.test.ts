/** What `ringproxy audit` shows of callers: what they say of themselves is never taken for who they are. */
import { expect, it } from 'vitest';
import { describeAudit } from '../../cli/audit-command.js';
import type { AuditEntry } from '../../src/admin/api.js';

const STRANGER: AuditEntry = {
  ...{ at: '2030-01-01T00:00:00.000Z', proxy: 'p', who: null, role: null, address: '10.0.0.9', client: 'ann' },
  ...{ method: 'DELETE', path: '/v1/groups', body: null, dryRun: false },
  ...{ outcome: 'refused', status: 401, code: 'UNAUTHORIZED', unlisted: 0 },
};

function columnsOf(entry: AuditEntry): string[] {
  const [, line = ''] = describeAudit({ entries: [entry], missing: [] }).split('\n');
  return line.trim().split(/\s{2,}/);
}

it('names by their tokens those who have one, and strangers nobody', () => {
  expect(columnsOf(STRANGER).slice(1, 5)).toEqual(['nobody', '-', '10.0.0.9', '"ann"']);
  expect(columnsOf({ ...STRANGER, who: 'ann', role: 'admin' }).slice(1, 3)).toEqual(['ann', 'admin']);
  expect(columnsOf({ ...STRANGER, role: 'admin' }).slice(1, 3)).toEqual(['-', 'admin']);
});

it('has a caller forge no columns, nor make them as wide as it likes', () => {
  const client = 'x"  admin  10.0.0.1  DELETE /v1/groups  -  done  p';
  const columns = columnsOf({ ...STRANGER, client });
  expect(columns).toHaveLength(9);
  expect(columns[4]).toMatch(/^"x\\" admin .*…/);
  expect(columns[4]).toHaveLength(40);
});
