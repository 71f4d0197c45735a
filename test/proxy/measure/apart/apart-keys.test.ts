import { expect, it } from 'vitest';
import { ApartKeysTable, sumApartKeys } from '../../../../src/proxy/measure/apart/apart-keys.js';

const RENAME = { name: 'rename', route: 'owner' } as const;

it('keys of like shape are one row, and the commonest is the first', () => {
  const table = new ApartKeysTable();
  for (let i = 0; i < 10; i++) table.note(RENAME, [`job:${i}`, `done:${i}`], 1);
  table.note({ name: 'mget', route: 'split' }, ['page:1', 'page:2'], 64);
  expect(table.rows()).toMatchObject([
    { command: 'mget', isSplit: true, calls: 64, shapes: ['page:*'] },
    { command: 'rename', isSplit: false, calls: 10, tagged: ['job:{*}', 'done:{*}'], example: ['job:0', 'done:0'] },
  ]);
});

it('however many shapes there are, the common ones stay', () => {
  const table = new ApartKeysTable();
  const letters = (i: number): string => [...String(i)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
  for (let i = 0; i < 5000; i++) {
    table.note(RENAME, [`rare${letters(i)}`, 'x'], 1);
    table.note(RENAME, ['common:a', 'other:a'], 1);
  }
  const rows = table.rows();
  expect(rows).toHaveLength(256);
  expect(rows[0]).toMatchObject({ shapes: ['common:*', 'other:*'], calls: 5000 });
});

it('what several processes have seen is added up', () => {
  const parts = [1, 2].map((calls) => {
    const table = new ApartKeysTable();
    table.note(RENAME, [`job:${calls}`, `done:${calls}`], calls);
    return table.rows();
  });
  expect(sumApartKeys(parts)).toMatchObject([{ command: 'rename', calls: 3 }]);
});
