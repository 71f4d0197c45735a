/** Reads panels and queries out of dashboards as Grafana stores them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPOSE } from '../support/prometheus-process.js';

interface DatasourceRef {
  readonly type: string;
  readonly uid: string;
}

interface StoredTarget {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly datasource: DatasourceRef;
}

export interface StoredPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: DatasourceRef;
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly thresholds?: {
        readonly mode: string;
        readonly steps: readonly { value: number | null; color: string }[];
      };
      readonly links?: readonly { readonly title: string; readonly url: string }[];
    };
  };
  readonly options?: { readonly legend?: { readonly showLegend: boolean; readonly calcs: readonly string[] } };
  readonly targets?: readonly StoredTarget[];
  /** Of rows: what is folded away in it. */
  readonly collapsed?: boolean;
  readonly panels?: readonly object[];
}

interface StoredVariable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
  readonly datasource?: DatasourceRef;
  readonly refresh?: number;
}

interface StoredAnnotation {
  readonly name: string;
  readonly expr: string;
  readonly datasource: DatasourceRef;
}

export interface StoredDashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly time: { readonly from: string; readonly to: string };
  readonly refresh: string;
  readonly links: readonly { readonly type: string; readonly tags: readonly string[] }[];
  readonly tags: readonly string[];
  readonly templating: { readonly list: readonly StoredVariable[] };
  readonly annotations: { readonly list: readonly StoredAnnotation[] };
  readonly panels: readonly StoredPanel[];
}

const FOLDER = join(COMPOSE, 'grafana/dashboards');

/** The committed dashboards by file. */
export function storedDashboards(): Map<string, StoredDashboard> {
  return new Map(
    readdirSync(FOLDER).map((file) => [file, JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as StoredDashboard]),
  );
}

/** Every query of every panel: where it stands, and what it asks. */
export function panelQueries(): [where: string, expression: string][] {
  return [...storedDashboards().values()].flatMap((dashboard) =>
    dashboard.panels.flatMap((panel) =>
      (panel.targets ?? []).map((target): [string, string] => [
        `${dashboard.title} / ${panel.title} / ${target.refId}`,
        target.expr,
      ]),
    ),
  );
}

/** What Grafana would send: the variables' values in the place of their names. */
export function filledIn(expression: string, values: Readonly<Record<string, readonly string[]>>): string {
  const filled = expression.replace(/\$(\w+)/g, (_, name: string) => {
    const chosen = values[name];
    if (chosen === undefined) throw new Error(`$${name} is not defined: ${expression}`);
    // Several values become a regular expression, as Grafana does it for Prometheus.
    return chosen.length === 1 ? (chosen[0] ?? '') : `(${chosen.join('|')})`;
  });
  return filled;
}
