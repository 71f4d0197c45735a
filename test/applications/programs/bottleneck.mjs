// Bottleneck as a limiter of several processes: its scripts name all keys of a limiter, which are on one node by a pattern of the ring.
import Bottleneck from 'bottleneck';
import { PORT, range, step } from './steps.mjs';

const errors = new Set();
const options = {
  id: 'limiter',
  datastore: 'ioredis',
  clearDatastore: true,
  clientOptions: { host: '127.0.0.1', port: PORT },
  maxConcurrent: 2,
  reservoir: 20,
};
const limiter = new Bottleneck(options);
limiter.on('error', (error) => errors.add(error.message));
const ready = await step('ready', () => limiter.ready().then(() => true));
if (ready) {
  const other = new Bottleneck({ ...options, clearDatastore: false });
  other.on('error', (error) => errors.add(error.message));
  await other.ready();
  let running = 0;
  let most = 0;
  const job = async (n) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
    return n;
  };
  await step('scheduled by two', () => Promise.all(range(16).map((n) => (n % 2 ? other : limiter).schedule(job, n))));
  await step('at most at once', () => most);
  await step('reservoir', () => Promise.all([limiter.currentReservoir(), other.currentReservoir()]));
  await step('done', () => limiter.done());
  await step('counts', () => limiter.counts().EXECUTING);
  await step('incremented', async () => [await limiter.incrementReservoir(5), await other.currentReservoir()]);
  await other.disconnect(false);
}
await step('errors', () => errors);
await limiter.disconnect(false);
