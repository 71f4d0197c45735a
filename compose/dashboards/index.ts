/** The dashboards as Grafana reads them. `npm run dashboards` writes them to `compose/grafana/dashboards`. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { fleet } from './fleet.js';
import { nodes } from './nodes.js';
import { overview } from './overview.js';
import { proxies } from './proxies.js';
import { rebalancing } from './rebalancing.js';

/** @returns each dashboard by the name of its file */
export function allDashboards(): ReadonlyMap<string, Dashboard> {
  return new Map([
    ['overview.json', finished(overview())],
    ['nodes.json', finished(nodes())],
    ['rebalancing.json', finished(rebalancing())],
    ['proxies.json', finished(proxies())],
    ['fleet.json', finished(fleet())],
  ]);
}

/** @returns the text of a dashboard's file */
export function fileText(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** What the SDK leaves to be said. */
function finished(dashboard: Dashboard): Dashboard {
  // Grafana numbers panels that have no number when it loads them; links to a panel need one that stays.
  for (const [index, panel] of (dashboard.panels ?? []).entries()) panel.id = index + 1;
  // The SDK puts links and annotations into a menu; these belong in sight.
  for (const item of [...(dashboard.links ?? []), ...(dashboard.annotations?.list ?? [])]) delete item.placement;
  return dashboard;
}
