/** What INFO replication says of replicas, and which of them are read from. */
import { describe, expect, it } from 'vitest';
import { readMasterInfo, readReplicaInfo } from '../../../src/proxy/upstream/replica-info.js';

const MASTER = `# Replication\r
role:master\r
connected_slaves:3\r
slave0:ip=10.0.0.2,port=6379,state=online,offset=700,lag=0\r
slave1:ip=::1,port=6380,state=online,offset=650,lag=1\r
slave2:ip=10.0.0.4,port=6379,state=wait_bgsave,offset=0,lag=0\r
master_replid:aaaa\r
master_repl_offset:710\r
`;

const REPLICA = `# Replication\r
role:slave\r
master_link_status:up\r
slave_read_repl_offset:720\r
slave_repl_offset:700\r
slave_read_only:1\r
replica_announced:1\r
master_replid:aaaa\r
master_repl_offset:700\r
`;

describe('what a master says', () => {
  it('is how far it is, and which replicas follow it now', () => {
    expect(readMasterInfo(MASTER)).toEqual({
      ...{ history: 'aaaa', offset: 710 },
      replicas: ['10.0.0.2:6379', '[::1]:6380'],
    });
  });

  it('counts for nothing when it is a replica', () => {
    expect(readMasterInfo(REPLICA)).toBeNull();
  });
});

describe('what a replica says', () => {
  it('is what it has carried out, not what has come', () => {
    expect(readReplicaInfo(REPLICA)).toEqual({ history: 'aaaa', offset: 700 });
  });

  it.each([
    ['has become a master', 'role:slave', 'role:master'],
    ['has no link', 'master_link_status:up', 'master_link_status:down'],
    ['takes writes of its own', 'slave_read_only:1', 'slave_read_only:0'],
    ['wants to be known to nobody', 'replica_announced:1', 'replica_announced:0'],
  ])('counts for nothing when it %s', (_what, line, other) => {
    expect(readReplicaInfo(REPLICA.replace(line, other))).toBeNull();
  });
});
