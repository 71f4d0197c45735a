/** MULTI and its like. */
import { type PolicyRow, type PolicyRows, proxy } from './row.js';

const transaction = { acl: ['transaction'] } as const satisfies PolicyRow;

export const TRANSACTIONS = {
  multi: { ...transaction, ...proxy, inTransaction: 'at once', transactionStep: 'begins' },
  exec: { ...transaction, ...proxy, inTransaction: 'at once', transactionStep: 'runs' },
  discard: { ...transaction, ...proxy, inTransaction: 'at once', transactionStep: 'drops' },
  watch: { ...transaction, ...proxy, inTransaction: 'at once' },
  unwatch: { ...transaction, ...proxy, inTransaction: 'by node' },
} as const satisfies PolicyRows;
