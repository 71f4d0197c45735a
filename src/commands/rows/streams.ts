/** Streams. */
import type { Waits } from '../columns.js';
import { any, creates, type PolicyRow, type PolicyRows } from './row.js';

const stream = { acl: ['stream'] } as const satisfies PolicyRow;
const streams = { keys: { kind: 'streams' } } as const satisfies PolicyRow;
const waitsWithBlock = {
  timeoutAt: 'option',
  unit: 'milliseconds',
  nil: 'array',
  fromNewest: false,
  takes: 'delivers',
} as const satisfies Waits;
const waitsFromNewest = { ...waitsWithBlock, fromNewest: true, takes: 'reads' } as const satisfies Waits;

export const STREAMS = {
  xread: { ...stream, ...streams, crossNode: 'streams', waits: waitsFromNewest },
  xreadgroup: { ...stream, ...streams, crossNode: 'streams', waits: waitsWithBlock },
  'xinfo|help': { ...stream, ...any },
  'xgroup|help': { ...stream, ...any },
  xack: stream,
  xadd: { ...stream, ...creates },
  xautoclaim: stream,
  xclaim: stream,
  xdel: stream,
  'xgroup|create': { ...stream, ...creates },
  'xgroup|createconsumer': stream,
  'xgroup|delconsumer': stream,
  'xgroup|destroy': stream,
  'xgroup|setid': stream,
  'xinfo|consumers': stream,
  'xinfo|groups': stream,
  'xinfo|stream': stream,
  xlen: { ...stream, missingReply: 'zero', nearRead: 'always' },
  xpending: stream,
  xrange: { ...stream, missingReply: 'empty', nearRead: 'always' },
  xrevrange: { ...stream, missingReply: 'empty', nearRead: 'always' },
  xsetid: stream,
  xtrim: stream,
  xackdel: stream,
  xdelex: stream,
  xcfgset: stream,
  xnack: stream,
  xidmprecord: { ...stream, ...creates },
} as const satisfies PolicyRows;
