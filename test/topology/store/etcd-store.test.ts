import { beforeAll, describe } from 'vitest';
import { type EtcdCluster, hasEtcd, startEtcd } from '../../support/etcd-process.js';
import { describeRingStore } from './contract.js';
import { etcdPlace } from './etcd-place.js';
import { describeGroupRecords } from './groups-contract.js';
import { describeMasterRecords } from './masters-contract.js';

describe.skipIf(!hasEtcd)('with one etcd', () => {
  let cluster: EtcdCluster;
  beforeAll(async () => {
    cluster = await startEtcd();
  });
  describeRingStore('an etcd', () => Promise.resolve(etcdPlace(cluster)));
  describeGroupRecords('an etcd', () => Promise.resolve(etcdPlace(cluster)));
  describeMasterRecords('an etcd', () => Promise.resolve(etcdPlace(cluster)));
});
