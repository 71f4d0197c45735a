/** Requests as etcd's JSON gateway reads them. */
import { encode, endOfPrefix } from './wire.js';

/** What is read: one key, or all from `key` up to `end`, which is not of them. */
export interface RangeQuery {
  readonly key: string;
  readonly end?: string;
  readonly limit?: number;
  /** Default: by key, upwards. */
  readonly order?: 'newest-first' | 'created';
  readonly keysOnly?: boolean;
}

/** @returns what all keys with this prefix are */
export function prefixed(prefix: string): { readonly key: string; readonly end: string } {
  return { key: prefix, end: endOfPrefix(prefix) };
}

/** What must be so for a transaction to succeed. */
export type Compare =
  | { readonly key: string; readonly is: 'absent' | 'present' }
  /** It was written by this revision last. */
  | { readonly key: string; readonly writtenBy: number };

export type Operation =
  | { readonly put: string; readonly value: string; readonly lease?: string }
  | { readonly remove: string; readonly end?: string }
  | { readonly read: RangeQuery };

/** All of it at one instant: its operations have one revision. */
export interface Txn {
  /** All of these must be so. */
  readonly when?: readonly Compare[];
  readonly run: readonly Operation[];
  /** Where one is not so. */
  readonly otherwise?: readonly Operation[];
}

export function rangeBody({ key, end, limit, order, keysOnly }: RangeQuery): object {
  const sorts = {
    'newest-first': { sort_order: 'DESCEND', sort_target: 'MOD' },
    created: { sort_order: 'ASCEND', sort_target: 'CREATE' },
  } as const;
  return {
    key: encode(key),
    ...(end === undefined ? {} : { range_end: encode(end) }),
    ...(limit === undefined ? {} : { limit: String(limit) }),
    ...(order === undefined ? {} : sorts[order]),
    ...(keysOnly === true ? { keys_only: true } : {}),
  };
}

export function txnBody(txn: Txn): object {
  return {
    compare: (txn.when ?? []).map(compareBody),
    success: txn.run.map(operationBody),
    failure: (txn.otherwise ?? []).map(operationBody),
  };
}

/** @param from the first revision that is told; 0: from now on */
export function watchBody(key: string, end: string, from: number): object {
  return { create_request: { key: encode(key), range_end: encode(end), start_revision: String(from) } };
}

function compareBody(compare: Compare): object {
  const key = encode(compare.key);
  if ('writtenBy' in compare) {
    return { key, target: 'MOD', result: 'EQUAL', mod_revision: String(compare.writtenBy) };
  }
  return { key, target: 'VERSION', result: compare.is === 'absent' ? 'EQUAL' : 'GREATER', version: '0' };
}

function operationBody(operation: Operation): object {
  if ('read' in operation) return { request_range: rangeBody(operation.read) };
  if ('remove' in operation) {
    const { remove, end } = operation;
    return {
      request_delete_range: { key: encode(remove), ...(end === undefined ? {} : { range_end: encode(end) }) },
    };
  }
  const { put, value, lease } = operation;
  return {
    request_put: { key: encode(put), value: encode(value), ...(lease === undefined ? {} : { lease }) },
  };
}
