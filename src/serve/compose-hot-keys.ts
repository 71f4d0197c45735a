/** Composition: which keys are used most, at this proxy and in the whole fleet. */
import type { HotView, ProxyView, WhichView } from '../admin/api.js';
import type { HotKeysPort } from '../admin/backend.js';
import { peerError } from '../fleet/peers/peers.js';
import type { PlaneHost } from '../plane/host.js';
import { type HotReport, mergeHot } from '../proxy/measure/hot-keys/hot-report.js';
import { LISTED_KEYS } from '../proxy/measure/hot-keys/hottest.js';
import { hotView } from '../telemetry/hot-keys/hot-view.js';
import { fromWire, HOT_KEYS_PATH, toWire } from '../telemetry/hot-keys/wire.js';
import type { PeersParts } from './compose-peers.js';

/** Longer than a proxy waits for its workers. */
const PATIENCE_MS = 3000;

export interface HotKeysNeeds {
  readonly plane: Pick<PlaneHost, 'hotKeys'>;
  readonly ring: { which(keys: readonly Buffer[]): WhichView[] };
  /** This proxy's id, as it is at the moment. */
  readonly self: () => string;
  /** Those of the ring. */
  readonly proxies: () => ProxyView[];
  /** Null: this one is alone. */
  readonly peers: PeersParts | null;
}

export interface HotKeysParts extends HotKeysPort {
  /** At this proxy. */
  own(): Promise<HotReport>;
  close(): void;
}

interface Told {
  readonly report: HotReport | null;
  readonly missing: HotView['missing'];
}

export function composeHotKeys({ plane, ring, self, proxies, peers }: HotKeysNeeds): HotKeysParts {
  const end = peers?.handlers.on(HOT_KEYS_PATH, async () => toWire(await plane.hotKeys()));

  const toldBy = (proxy: string, report: HotReport): Told => ({
    report,
    missing: report.missing.map((why) => ({ proxy, why })),
  });

  const ask = async (proxy: string): Promise<Told> => {
    const silent = (why: string): Told => ({ report: null, missing: [{ proxy, why }] });
    const answer = await peers?.peers.ask(proxy, HOT_KEYS_PATH, {}, PATIENCE_MS);
    if (answer === undefined) return silent('there is nobody to ask');
    if (!answer.ok) return silent(peerError(answer.failure).message);
    const report = fromWire(answer.body);
    return report === null ? silent('its answer is not understood') : toldBy(proxy, report);
  };

  return {
    own: () => plane.hotKeys(),
    async view({ limit, fleet }) {
      const own = self();
      const others = fleet ? proxies().filter(({ id, alive, fencedOff }) => alive && !fencedOff && id !== own) : [];
      const told = await Promise.all([
        plane.hotKeys().then((report) => toldBy(own, report)),
        ...others.map(({ id }) => ask(id)),
      ]);
      const report = mergeHot(
        told.flatMap((one) => (one.report === null ? [] : [one.report])),
        LISTED_KEYS,
      );
      const nodeOf = (key: Buffer): string => ring.which([key])[0]?.node ?? '';
      return hotView(
        report,
        limit,
        nodeOf,
        told.flatMap(({ missing }) => missing),
      );
    },
    close: () => end?.(),
  };
}
