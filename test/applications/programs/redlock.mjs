// Redlock with several resources to a lock, which its script takes together: they are on one node by a pattern of the ring.
import { Redis } from 'ioredis';
import Redlock from 'redlock';
import { PORT, range, step } from './steps.mjs';

const redis = new Redis({ port: PORT });
const redlock = new Redlock([redis], { retryCount: 0 });
// The error of a lock speaks of its attempts alone.
const errors = new Set();
redlock.on('clientError', (error) => errors.add(error.message));
const resources = range(5).map((i) => `locks:account:${i}`);
await step('one resource each', async () => {
  const locks = await Promise.all(resources.map((resource) => redlock.lock(resource, 20_000)));
  await Promise.all(locks.map((lock) => lock.unlock()));
  return redis.exists(...resources);
});
const lock = await step('several resources', async () =>
  redlock
    .lock(resources, 20_000)
    .then((taken) => ({ unlock: () => taken.unlock(), extend: () => taken.extend(20_000) })),
);
await step('taken', () => redis.exists(...resources));
await step('one of them again (fails)', async () => (await redlock.lock(resources[3], 1000)).value !== '');
if (lock !== undefined) {
  await step('extended', async () => (await lock.extend()).resource.length);
  await step('unlocked', async () => [await lock.unlock(), await redis.exists(...resources)]);
}
await step('errors', () => errors);
redis.disconnect();
