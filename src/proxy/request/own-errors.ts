/**
 * What clients are answered when it is not a node that refuses, once: by the reply's first word, which clients decide
 * by, and what follows it, for people. The documentation's table is made from these rows.
 */
interface OwnError {
  readonly code: string;
  /** What stands behind the code, with `…` for what differs. */
  readonly text: string;
  readonly meaning: string;
}

export const OWN_ERRORS = [
  {
    code: 'CROSSSLOT',
    text: '…',
    meaning:
      'the keys of a command that needs one node are on several: use a hash tag, or `ring.hash-tags`; `cross-node: allow` lets most run',
  },
  {
    code: 'NODEDOWN',
    text: 'node NAME (ADDRESS) …',
    meaning:
      'the node of this key cannot be reached; where it says that the outcome is unknown, the command may have been carried out',
  },
  {
    code: 'TRYAGAIN',
    text: '…',
    meaning:
      'the ring is changing, and the key did not arrive in time; or the connections to a node are all in use; or this proxy may not speak to the node now, since it cannot ask whether it still belongs to its fleet, or does not',
  },
  {
    code: 'ERR',
    text: '… is not allowed through the proxy: …',
    meaning:
      'it could break the ring, or is not served; `admin-commands: allow` lets CONFIG SET, DEBUG and the like through to every node',
  },
  { code: 'ERR', text: 'keys with the prefix __ringproxy__ are reserved for the proxy', meaning: 'what it says' },
  {
    code: 'ERR',
    text: 'a value of … bytes is more than max-value-bytes of the group …',
    meaning: 'the policy of the key’s group (`key-groups`) does not allow it; nothing was changed',
  },
  {
    code: 'ERR',
    text: '… would take … bytes from node to node, …',
    meaning: 'the keys of the command are on several nodes, and `cross-node-max-bytes` does not allow to lend so much',
  },
  {
    code: 'ERR',
    text: 'node NAME (ADDRESS) does not take a value of another node: …',
    meaning: 'the keys of the command are on several nodes of different versions of Redis, or with different modules',
  },
  {
    code: 'OOM',
    text: 'node NAME (ADDRESS), which has KEY, refuses its part of …',
    meaning:
      'the keys of the command are on several nodes, and this one cannot do its work; likewise with `READONLY`, `MISCONF`, `LOADING`, `BUSY`, `NOPERM`, `NOAUTH`, `MASTERDOWN` and `NOREPLICAS`. Each key has its old value or its new one',
  },
  { code: 'ERR', text: 'max number of clients reached', meaning: '`max-clients`' },
  { code: 'ERR', text: 'max number of clients of this address reached', meaning: '`max-clients-per-address`' },
  {
    code: 'ERR',
    text: 'max number of clients of this user reached',
    meaning: '`max-clients-per-user`, or `max-clients` of the user in `user-limits`; who has sent AUTH is who it was',
  },
  {
    code: 'LIMIT',
    text: 'clients of this … may send … a second (…): …',
    meaning:
      '`limit-mode: refuse`: clients of this address, or user, have done as much as they may in a second; nothing was carried out',
  },
  {
    code: 'ERR',
    text: 'unknown command …',
    meaning: 'as in Redis; so are the errors of arguments and of what the proxy answers itself',
  },
  {
    code: 'ERR',
    text: '… is not possible on a key of the replicated group …',
    meaning:
      'proxies could not merge what the command does, or the value is none that is kept so: keep the key in a group that is not replicated',
  },
  {
    code: 'ERR',
    text: '… with keys of a replicated group and others at once is not possible: …',
    meaning: 'send one command for each',
  },
  {
    code: 'ERR',
    text: 'keys of the replicated group … can be in no transaction and cannot be watched: …',
    meaning: 'send the command outside of MULTI',
  },
  {
    code: 'ERR',
    text: 'a value of a replicated group may have 1048576 bytes, …',
    meaning: 'every proxy has all of it: keep it in a group that is not replicated',
  },
  {
    code: 'WRONGTYPE',
    text: '…',
    meaning: 'as in Redis, of a key of a replicated group: it holds another kind of value',
  },
  { code: 'OOM', text: '…', meaning: 'as in Redis: the values of replicated groups take `replicated-memory`' },
  { code: 'DENIED', text: 'the proxy runs in protected mode …', meaning: '`protected-mode`' },
  {
    code: 'NOAUTH',
    text: '…',
    meaning: 'as in Redis: the client has not given the `password`, or has not logged in as one of the `users`',
  },
  {
    code: 'NOPERM',
    text: 'this user has no permissions …',
    meaning: 'as in Redis: its [user](users.md) may not send this command, or not with these keys or channels',
  },
  {
    code: 'WRONGPASS',
    text: '…',
    meaning: 'as in Redis: it is another one; `too many failed attempts from this address`: try again in a second',
  },
  { code: 'NOPROTO', text: '…', meaning: 'as in Redis: HELLO asks for a protocol that there is not' },
  { code: 'EXECABORT', text: '…', meaning: 'as in Redis: the transaction was not carried out' },
  {
    code: 'EXECABORT',
    text: 'The part of node NAME was not carried out, others were: …',
    meaning: 'in the reply of EXEC, for each command of that node: the keys of the transaction are on several nodes',
  },
  {
    code: 'EXECABORT',
    text: 'The command was not carried out, others were: …',
    meaning:
      'in the reply of EXEC, where commands have keys on several nodes: a node has failed or refused what stands in front of this one',
  },
  { code: 'NOSCRIPT', text: '…', meaning: 'as in Redis: neither a node nor the proxy knows the script' },
  {
    code: 'NOGROUP',
    text: 'the consumer group this client was blocked on no longer exists',
    meaning: 'as in Redis, of XREADGROUP with BLOCK and streams on several nodes: its group was destroyed',
  },
  { code: 'UNBLOCKED', text: '…', meaning: 'as in Redis: somebody sent CLIENT UNBLOCK' },
] as const satisfies readonly OwnError[];

/** @returns the table of them, in Markdown */
export function ownErrorReference(): string {
  const rows = OWN_ERRORS.map(({ code, text, meaning }) => `| \`-${code} ${text}\` | ${meaning} |`);
  return ['| error | means |', '|---|---|', ...rows].join('\n');
}
