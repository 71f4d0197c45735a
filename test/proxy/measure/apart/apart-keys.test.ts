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

it('what was refused is told, and whether the keys have another value in common each time', () => {
  const part = (queue: string, isRefused: boolean): ApartKeysTable => {
    const table = new ApartKeysTable();
    for (let i = 0; i < 3; i++) {
      table.note(
        { name: 'evalsha', route: 'owner' },
        [`bull:${queue}:wait`, `bull:${queue}:active`],
        1,
        isRefused && i > 0,
      );
    }
    return table;
  };
  const [mail, paint] = [part('mail', true).rows(), part('paint', false).rows()];
  expect(mail).toMatchObject([{ calls: 3, refused: 2, value: 'mail', varies: false }]);
  expect(sumApartKeys([mail, mail])).toMatchObject([{ calls: 6, refused: 4, varies: false }]);
  expect(sumApartKeys([mail, paint])).toMatchObject([{ calls: 6, refused: 2, varies: true }]);
  const both = part('mail', true);
  both.note({ name: 'evalsha', route: 'owner' }, ['bull:paint:wait', 'bull:paint:active'], 1);
  expect(both.rows()).toMatchObject([{ calls: 4, varies: true }]);
});
