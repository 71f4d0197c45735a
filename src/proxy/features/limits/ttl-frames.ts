/**
 * The commands that the proxy sends behind a client's, to give its key a time to live. Both are PEXPIRE with an option
 * of Redis 7; for older nodes, and for a key in another database, a script does the same.
 */
import { decimalLength, writeArrayHeader, writeBulkHeader } from '../../../resp/encode.js';

/** `NX`: for a key that has none. `LT`: for one that has none, or a longer one. */
export type TtlOption = 'NX' | 'LT';

const PEXPIRE = Buffer.from('$7\r\nPEXPIRE\r\n');
const OPTIONS = { NX: Buffer.from('$2\r\nNX\r\n'), LT: Buffer.from('$2\r\nLT\r\n') } as const satisfies Record<
  TtlOption,
  Uint8Array
>;
const EXPIRE = "redis.call('PEXPIRE',KEYS[1],ARGV[1])";
const LUA = {
  NX: `if redis.call('PTTL',KEYS[1])==-1 then ${EXPIRE} end`,
  LT: `local t=redis.call('PTTL',KEYS[1]) if t==-1 or t>tonumber(ARGV[1]) then ${EXPIRE} end`,
} as const satisfies Record<TtlOption, string>;
const SCRIPTS = { NX: evalOf(LUA.NX), LT: evalOf(LUA.LT) } as const satisfies Record<TtlOption, Uint8Array>;
/** What a script selects, nobody but itself sees. */
const SELECT = "redis.call('SELECT',ARGV[2]) ";
const ELSEWHERE = {
  NX: evalOf(SELECT + LUA.NX),
  LT: evalOf(SELECT + LUA.LT),
} as const satisfies Record<TtlOption, Uint8Array>;

/** Of everything that is not the key. */
const OVERHEAD = 256;
let scratch: Buffer = Buffer.allocUnsafeSlow(1024);

/** A frame in memory that the next one is written to. */
export interface TtlFrame {
  bytes: Buffer;
  length: number;
}

const frame: TtlFrame = { bytes: scratch, length: 0 };

/**
 * @param ttl milliseconds
 * @param understandsOptions whether the nodes are of Redis 7 or newer
 * @param database where the key is; null: in the database of the connection
 */
export function ttlFrame(
  key: Uint8Array,
  start: number,
  end: number,
  ttl: number,
  option: TtlOption,
  understandsOptions: boolean,
  database: number | null = null,
): TtlFrame {
  if (scratch.length < end - start + OVERHEAD) scratch = Buffer.allocUnsafeSlow(2 * (end - start) + OVERHEAD);
  frame.bytes = scratch;
  const isScript = database !== null || !understandsOptions;
  let at = writeArrayHeader(scratch, 0, database === null ? (isScript ? 5 : 4) : 6);
  at = put(at, isScript ? (database === null ? SCRIPTS : ELSEWHERE)[option] : PEXPIRE);
  at = writeBulkHeader(scratch, at, end - start);
  at = put(at, key.subarray(start, end));
  at = lineEnd(at);
  at = putNumber(at, ttl);
  if (database !== null) at = putNumber(at, database);
  if (!isScript) at = put(at, OPTIONS[option]);
  frame.length = at;
  return frame;
}

function putNumber(at: number, value: number): number {
  const digits = writeBulkHeader(scratch, at, decimalLength(value));
  return lineEnd(digits + scratch.write(String(value), digits, 'latin1'));
}

function put(at: number, bytes: Uint8Array): number {
  scratch.set(bytes, at);
  return at + bytes.length;
}

function lineEnd(at: number): number {
  scratch[at] = 0x0d;
  scratch[at + 1] = 0x0a;
  return at + 2;
}

/** The arguments of EVAL in front of its key. */
function evalOf(script: string): Buffer {
  return Buffer.from(`$4\r\nEVAL\r\n$${script.length}\r\n${script}\r\n$1\r\n1\r\n`);
}
