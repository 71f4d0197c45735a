/** `import { startProxy } from 'ringproxy'`: a proxy within a test or a service. */
import { loadConfig } from '../config/load.js';
import { RingproxyError as OwnError } from '../errors.js';
import { type RunningProxy as Running, startServer } from '../serve.js';
import { onEvents } from '../telemetry/subscribers.js';
import { RingproxyError } from './errors.js';
import type { ProxyEvent, RunningProxy, StartOptions } from './proxy-types.js';
import type { ProxySettings } from './settings.js';

export type { NodeSettings, ProxySettings } from './settings.js';
export { type ProxyEvent, RingproxyError, type RunningProxy, type StartOptions };

/**
 * Starts a proxy in this process. It installs no handlers of signals, writes nothing to the standard streams unless it
 * is asked to, reads no environment variables, and never ends the process.
 * @param settings what a configuration file would say, with its defaults; `listen` and `admin` take port 0
 * @returns when it serves clients
 * @throws RingproxyError when it cannot, with what to do; the reason of `options.signal` when that was aborted
 */
export async function startProxy(settings: ProxySettings, options: StartOptions = {}): Promise<RunningProxy> {
  const config = loadConfig({ settings });
  const ending = new AbortController();
  let lost: RingproxyError | null = null;
  let running: Running | null = null;
  let hasEnded: (why: RingproxyError | null) => void = () => {};
  const ended = new Promise<RingproxyError | null>((resolve) => {
    hasEnded = resolve;
  });
  let ends: Promise<void> | null = null;
  const end = (proxy: Running, how: 'close' | 'abandon'): Promise<void> => {
    ends ??= proxy[how]().finally(() => {
      for (const stop of listeners) stop();
      hasEnded(lost);
    });
    return ends;
  };
  const onLost = (why: string): void => {
    lost = new OwnError('STATE_LOCKED', why);
    ending.abort(lost);
    // Whoever waits for `ended` is told why; that the end itself fails as well is nobody's to handle.
    if (running !== null) end(running, 'abandon').catch(() => {});
  };
  const listeners = new Set<() => void>();
  const { signal, log = () => {} } = options;
  const proxy = await startServer(config, {
    signal: signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]),
    logTo: log === 'stderr' ? undefined : log,
    onLost,
  });
  running = proxy;
  if (ending.signal.aborted) {
    await end(proxy, 'abandon');
    throw ending.signal.reason;
  }
  return {
    id: proxy.proxyId,
    listen: proxy.listen ?? '',
    port: portOf(proxy.listen ?? ''),
    tls: proxy.tls,
    admin: proxy.admin,
    health: () => proxy.health(),
    onEvent(listener, channels) {
      const stop = onEvents(
        (event, fields) => listener({ at: new Date().toISOString(), ...fields, event }),
        channels ?? null,
      );
      listeners.add(stop);
      return () => {
        listeners.delete(stop);
        stop();
      };
    },
    close: () => end(proxy, 'close'),
    ended,
  };
}

function portOf(listen: string): number {
  return Number(/:(\d+)$/.exec(listen)?.[1] ?? 0);
}
