import type { RingState } from '../state/ring-state.js';
import { StoreNews } from '../store/news.js';
import { COORDINATOR, type RingStore, type StoredRing } from '../store/ring-store.js';

/**
 * The ring that is recorded; where there is none, the first generation is made. Of several proxies that begin at once,
 * one makes it.
 * @param make the first generation, or null: it is made elsewhere, which is waited for. Called when there is no ring
 * @param onWait told when it is
 * @throws RingproxyError when it cannot be read, or made
 */
export async function foundRing(
  proxyId: string,
  store: RingStore,
  make: () => RingState | null,
  onWait: () => void,
): Promise<{ readonly ring: StoredRing; readonly isNew: boolean }> {
  const kept = await store.load();
  if (kept !== null) return { ring: kept, isNew: false };
  const first = make();
  if (first === null) onWait();
  const news = new StoreNews(store);
  try {
    for (;;) {
      const next = news.next();
      const ring = await store.load();
      if (ring !== null) return { ring, isNew: false };
      if (first === null) {
        await next;
        continue;
      }
      // Another one that has the claim makes the ring, or ends.
      const claim = await store.claim(COORDINATOR, proxyId, 'quick');
      const revision = claim === null ? null : await store.compareAndSave(null, first, claim);
      if (revision !== null) return { ring: { revision, state: first }, isNew: true };
      if (claim === null) await next;
    }
  } finally {
    news.end();
  }
}
