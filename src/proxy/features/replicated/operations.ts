/** What each command does with replicated keys: an operation of the table that is missing here does not compile. */
import type { OnReplicated, ReplicatedOperation } from '../../../commands/columns.js';
import { dbsize, flushall, flushdb, keys, randomkey } from './all-keys.js';
import type { Operation } from './call.js';
import { decr, decrby, incr, incrby } from './counters.js';
import {
  del,
  exists,
  expireAt,
  expireIn,
  expiretime,
  persist,
  pexpireAt,
  pexpireIn,
  pexpiretime,
  pttl,
  ttl,
  type,
} from './keys.js';
import { sadd, scard, sismember, smembers, smismember, srem } from './sets.js';
import { get, getdel, getex, mget, mset, psetex, set, setex, strlen } from './strings.js';

const OPERATIONS: Readonly<Record<ReplicatedOperation, Operation>> = {
  get,
  getdel,
  getex,
  mget,
  mset,
  psetex,
  set,
  setex,
  strlen,
  incr,
  incrby,
  decr,
  decrby,
  sadd,
  scard,
  sismember,
  smembers,
  smismember,
  srem,
  del,
  exists,
  expire: expireIn,
  expireat: expireAt,
  pexpire: pexpireIn,
  pexpireat: pexpireAt,
  ttl,
  pttl,
  expiretime,
  pexpiretime,
  persist,
  type,
  dbsize,
  flushall,
  flushdb,
  keys,
  randomkey,
};

/** @returns null: the command is none for replicated keys */
export function operationOf(on: OnReplicated): Operation | null {
  return on === 'no merge' || on === 'other value' ? null : OPERATIONS[on];
}
