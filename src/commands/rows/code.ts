/** Scripts and functions. */
import { all, any, doesAnything, numkeys, OWN_SERVER, type PolicyRow, type PolicyRows, refused } from './row.js';

const scripting = { acl: ['scripting'] } as const satisfies PolicyRow;

export const CODE = {
  eval: { ...scripting, ...doesAnything, ...numkeys(2), special: 'script', crossNode: 'code' },
  evalsha: { ...scripting, ...doesAnything, ...numkeys(2), special: 'digest', crossNode: 'code' },
  eval_ro: { ...scripting, ...numkeys(2), special: 'script', crossNode: 'code' },
  evalsha_ro: { ...scripting, ...numkeys(2), special: 'digest', crossNode: 'code' },
  fcall: { ...scripting, ...doesAnything, ...numkeys(2), special: 'code', crossNode: 'code' },
  fcall_ro: { ...scripting, ...numkeys(2), special: 'code', crossNode: 'code' },
  'script|load': { ...scripting, ...all('ok', 'down'), everywhere: 'load', inTransaction: 'everywhere' },
  'script|flush': { ...scripting, ...all('ok'), everywhere: 'flush', inTransaction: 'everywhere' },
  'script|exists': { ...scripting, ...all('least', 'down'), everywhere: 'exists', inTransaction: 'everywhere' },
  'script|kill': { ...scripting, ...all('one', 'errors'), everywhere: 'past scripts', inTransaction: 'everywhere' },
  'function|load': { ...scripting, ...all('ok', 'down'), inTransaction: 'everywhere' },
  'function|delete': { ...scripting, ...all('ok'), inTransaction: 'everywhere' },
  'function|flush': { ...scripting, ...all('ok'), inTransaction: 'everywhere' },
  'function|restore': { ...scripting, ...all('ok', 'down'), inTransaction: 'everywhere' },
  'function|kill': { ...scripting, ...all('one', 'errors'), everywhere: 'past scripts', inTransaction: 'everywhere' },
  'function|stats': {
    ...scripting,
    ...all('running', 'down'),
    everywhere: 'past scripts',
    inTransaction: 'everywhere',
  },
  'script|help': { ...scripting, ...any },
  'function|list': { ...scripting, ...any },
  'function|dump': { ...scripting, ...any },
  'function|help': { ...scripting, ...any },
  'script|debug': { ...scripting, ...refused(OWN_SERVER) },
} as const satisfies PolicyRows;
