/** The simulated store keeps to what every store of a ring keeps to, so that what is proven with it holds with the others. */
import { atEnd } from '../../support/cleanup.js';
import { describeRingStore } from '../../topology/store/contract.js';
import { SimulatedEtcd, SimulatedStore } from './simulated-store.js';
import { SimulatedProcess, World } from './world.js';

describeRingStore('the simulated store', async () => {
  const world = new World(1);
  const etcd = new SimulatedEtcd(world);
  const processes = new Map<unknown, SimulatedProcess>();
  let isOver = false;
  atEnd(() => {
    isOver = true;
  });
  const live = async (): Promise<void> => {
    while (!isOver && (await world.step()));
  };
  // Time passes when something is to happen.
  world.after(0, () => {});
  world.after(1e9, () => {});
  void live();
  return {
    async open(proxyId) {
      const process = new SimulatedProcess(proxyId, world);
      const store = new SimulatedStore(etcd, process);
      processes.set(store, process);
      await store.open();
      return store;
    },
    async kill(store) {
      processes.get(store)?.end();
      if (store instanceof SimulatedStore) store.end();
      const end = world.now + 30_000;
      while (world.now < end) await new Promise((resolve) => setImmediate(resolve));
    },
  };
});
