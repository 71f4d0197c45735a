/** What INFO says of a node that answers and cannot do what it is there for, in the words of the errors that it gives. */

/** @param field reads a field of INFO; empty when there is none @returns null: nothing */
export function readImpairment(field: (name: string) => string): string | null {
  if (field('loading') === '1') {
    return `LOADING it loads its keys: ${Math.floor(Number(field('loading_loaded_perc')))} %, for about ${field('loading_eta_seconds')} s more`;
  }
  if (field('role') === 'slave') {
    const master = `${field('master_host')}:${field('master_port')}`;
    return field('slave_read_only') === '0' ? `it is a replica of ${master}` : `READONLY it is a replica of ${master}`;
  }
  if (isFull(field)) return 'OOM its memory is full, and it evicts nothing (maxmemory-policy noeviction)';
  if (field('aof_last_write_status') === 'err') return 'MISCONF it cannot write its append-only file';
  if (field('rdb_last_bgsave_status') === 'err') {
    return 'MISCONF its last snapshot failed: it refuses writes if stop-writes-on-bgsave-error is set';
  }
  return null;
}

function isFull(field: (name: string) => string): boolean {
  const limit = Number(field('maxmemory'));
  if (limit === 0 || field('maxmemory_policy') !== 'noeviction') return false;
  return Number(field('used_memory')) - Number(field('mem_not_counted_for_evict')) > limit;
}
