/** What a node tells of itself in INFO, for those who look after it: its probes read that anyway. */

/** Null: this server does not say it (servers other than Redis leave some of it out). */
export interface NodeFigures {
  /** Bytes; 0: no limit. */
  readonly maxMemory: number | null;
  /** What it does when that is reached. */
  readonly maxMemoryPolicy: string | null;
  /** Bytes that the operating system has given it. */
  readonly residentMemory: number | null;
  /** These divided by what it uses. */
  readonly fragmentation: number | null;
  /** Keys that it gave up for want of memory, since it was started or CONFIG RESETSTAT. */
  readonly evictedKeys: number | null;
  readonly expiredKeys: number | null;
  /** Proxies and everybody else. */
  readonly connectedClients: number | null;
  /** Of these, those that wait for something (BLPOP …). */
  readonly blockedClients: number | null;
  readonly maxClients: number | null;
  /** `master`, or `slave` for a replica. */
  readonly role: string | null;
  /** It reads its keys from disk. */
  readonly loading: boolean | null;
  readonly uptimeSeconds: number | null;
}

/** @param field reads a field of INFO; empty when there is none */
export function readFigures(field: (name: string) => string): NodeFigures {
  const number = (name: string): number | null => {
    const text = field(name);
    const value = Number(text);
    return text === '' || !Number.isFinite(value) ? null : value;
  };
  const text = (name: string): string | null => field(name) || null;
  const loading = number('loading');
  return {
    maxMemory: number('maxmemory'),
    maxMemoryPolicy: text('maxmemory_policy'),
    residentMemory: number('used_memory_rss'),
    fragmentation: number('mem_fragmentation_ratio'),
    evictedKeys: number('evicted_keys'),
    expiredKeys: number('expired_keys'),
    connectedClients: number('connected_clients'),
    blockedClients: number('blocked_clients'),
    maxClients: number('maxclients'),
    role: text('role'),
    loading: loading === null ? null : loading === 1,
    uptimeSeconds: number('uptime_in_seconds'),
  };
}
