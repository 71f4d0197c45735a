/** Limits that are for several proxies together: what one of them allows. Pure. */
import type { LiveSettings } from '../settings.js';

const LIMITS = [
  ...(['maxClientsPerAddress', 'commandsPerAddress', 'bytesPerAddress'] as const),
  ...(['maxClientsPerUser', 'commandsPerUser', 'bytesPerUser'] as const),
] as const;

/**
 * @param proxies that serve clients, one at least
 * @returns the settings with the part of one proxy in the place of each limit: so much that all together allow what was
 * set, and at most one more for each proxy
 */
export function partOfOne<Settings extends LiveSettings>(settings: Settings, proxies: number): Settings {
  if (settings.limitScope === 'proxy' || proxies <= 1) return settings;
  // 0, any number, stays what it is.
  const part = (limit: number): number => Math.ceil(limit / proxies);
  const limits = Object.fromEntries(LIMITS.map((name) => [name, part(settings[name])]));
  const userLimits = settings.userLimits.map(({ name, clients, commands, bytes }) => ({
    name,
    ...(clients === undefined ? {} : { clients: part(clients) }),
    ...(commands === undefined ? {} : { commands: part(commands) }),
    ...(bytes === undefined ? {} : { bytes: part(bytes) }),
  }));
  return { ...settings, ...limits, userLimits };
}
