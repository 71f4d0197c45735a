/** How a field of INFO is made of those of the nodes; what is not here is what the first node says. */
export type FieldMerge = 'sum' | 'most' | 'least' | 'worst';

const words = (text: string): string[] => text.trim().split(/\s+/);

const FIELDS: Readonly<Record<FieldMerge, readonly string[]>> = {
  sum: words(`
    blocked_clients clients_in_timeout_table
    used_memory used_memory_rss used_memory_peak used_memory_overhead used_memory_startup used_memory_dataset
    used_memory_lua used_memory_vm_eval used_memory_scripts_eval used_memory_vm_functions used_memory_vm_total
    used_memory_functions used_memory_scripts allocator_allocated allocator_active allocator_resident
    maxmemory total_system_memory mem_not_counted_for_evict mem_clients_normal mem_clients_slaves mem_aof_buffer
    mem_replication_backlog mem_total_replication_buffers lazyfree_pending_objects lazyfreed_objects
    rdb_changes_since_last_save rdb_saves aof_rewrites current_save_keys_processed current_save_keys_total
    rdb_last_load_keys_expired rdb_last_load_keys_loaded
    total_connections_received total_commands_processed instantaneous_ops_per_sec rejected_connections
    total_net_input_bytes total_net_output_bytes instantaneous_input_kbps instantaneous_output_kbps
    total_net_repl_input_bytes total_net_repl_output_bytes
    expired_keys expired_time_cap_reached_count expire_cycle_cpu_milliseconds evicted_keys evicted_clients
    total_eviction_exceeded_time keyspace_hits keyspace_misses total_forks
    active_defrag_hits active_defrag_misses active_defrag_key_hits active_defrag_key_misses total_active_defrag_time
    unexpected_error_replies total_error_replies dump_payload_sanitizations
    total_reads_processed total_writes_processed io_threaded_reads_processed io_threaded_writes_processed
    reply_buffer_shrinks reply_buffer_expands
    used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children
    used_cpu_sys_main_thread used_cpu_user_main_thread
  `),
  // Something is under way when it is on one node (for `loading` see `least`); and the proxy subscribes to everything at every node.
  most: words(`
    rdb_bgsave_in_progress aof_rewrite_in_progress aof_rewrite_scheduled
    module_fork_in_progress active_defrag_running current_active_defrag_time current_eviction_exceeded_time
    client_recent_max_input_buffer client_recent_max_output_buffer aof_rewrites_consecutive_failures latest_fork_usec
    pubsub_channels pubsub_patterns pubsubshard_channels pubsub_clients
  `),
  // The cache serves while one node does, and clients wait for `loading:0`. Up to rdb_last_save_time every node has saved.
  least: words('loading async_loading loading_eta_seconds rdb_last_save_time'),
  // `ok` where all say so.
  worst: ['rdb_last_bgsave_status', 'aof_last_bgrewrite_status', 'aof_last_write_status'],
};

export const FIELD_MERGES: ReadonlyMap<string, FieldMerge> = new Map(
  (Object.keys(FIELDS) as FieldMerge[]).flatMap((merge) => FIELDS[merge].map((field) => [field, merge] as const)),
);

/** Fields that say in units what another one says in bytes. */
export const HUMAN: Readonly<Record<string, string>> = {
  used_memory: 'used_memory_human',
  used_memory_rss: 'used_memory_rss_human',
  used_memory_peak: 'used_memory_peak_human',
  used_memory_lua: 'used_memory_lua_human',
  used_memory_vm_total: 'used_memory_vm_total_human',
  used_memory_scripts: 'used_memory_scripts_human',
  maxmemory: 'maxmemory_human',
  total_system_memory: 'total_system_memory_human',
};
