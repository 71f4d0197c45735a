import type { MissingReply } from './columns.js';

/** Whether the reply that begins at `start` is `expected`, in RESP2 or RESP3. */
export function isMissingReply(expected: MissingReply, buffer: Uint8Array, start: number): boolean {
  const type = buffer[start];
  const next = buffer[start + 1];
  switch (expected) {
    case 'no key':
    case 'nil': // $-1, *-1 or _
      return type === 0x5f || ((type === 0x24 || type === 0x2a) && next === 0x2d);
    case 'zero': // :0
      return type === 0x3a && next === 0x30;
    case 'empty': // $0, *0, %0 or ~0
      return next === 0x30 && (type === 0x24 || type === 0x2a || type === 0x25 || type === 0x7e);
    case 'minus two': // :-2
      return type === 0x3a && next === 0x2d && buffer[start + 2] === 0x32;
    case 'none': // +none
      return type === 0x2b && next === 0x6e;
  }
}
