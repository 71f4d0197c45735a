/** The few kinds of panels that the dashboards are made of, so that all of them look and read alike. */
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type * as cog from '@grafana/grafana-foundation-sdk/cog';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  type DataSourceRef,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DashboardLink,
  DashboardLinkBuilder,
  DashboardLinkType,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  type Threshold,
  type ThresholdsConfig,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { Link } from './links.js';

export const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '$datasource' };

/** One query of a panel. */
export interface Query {
  readonly expr: string;
  /** Grafana's legend format: `{{node}}` is a label's value. */
  readonly legend: string;
}

export interface PanelSpec {
  readonly title: string;
  /** What the panel shows; first half of its description. */
  readonly shows: string;
  /** What to do when it looks bad; second half. */
  readonly bad: string;
  /** Grafana's name of the unit, such as `s`, `ops`, `bytes`, `percentunit`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24 columns. */
  readonly width: number;
  /** From this value on it is yellow. */
  readonly warn?: number;
  /** From this value on it is red; with `lowIsBad`, below it. */
  readonly badFrom?: number;
  /** Small values are the bad ones: red below `badFrom`, yellow below `warn`. */
  readonly lowIsBad?: boolean;
  readonly max?: number;
  readonly decimals?: number;
  /** Names for values, such as 1 for `up`. */
  readonly names?: Readonly<Record<string, readonly [text: string, color: string]>>;
  /** Where a click on the figure or a series leads. */
  readonly link?: Link;
}

export interface SeriesSpec extends PanelSpec {
  readonly stacked?: boolean;
}

/** What all builders of panels have in common; the SDK has no type for it. */
interface AnyPanelBuilder<T> {
  title(title: string): T;
  description(description: string): T;
  datasource(datasource: DataSourceRef): T;
  span(columns: number): T;
  height(rows: number): T;
  unit(unit: string): T;
  min(min: number): T;
  max(max: number): T;
  decimals(decimals: number): T;
  thresholds(thresholds: cog.Builder<ThresholdsConfig>): T;
  mappings(mappings: ValueMapping[]): T;
  dataLinks(links: cog.Builder<DashboardLink>[]): T;
  withTarget(target: cog.Builder<cog.Dataquery>): T;
}

/** Lines over time. */
export function series(spec: SeriesSpec): cog.Builder<Panel> {
  const panel = describe(new timeseries.PanelBuilder(), spec, 8)
    .lineWidth(2)
    .fillOpacity(spec.stacked === true ? 40 : 8)
    .showPoints(VisibilityMode.Never)
    // A gap of a scrape or two is no outage.
    .spanNulls(30_000)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  // The lines keep colours of their own: what is too much is drawn as a line across.
  if (spec.badFrom !== undefined) {
    panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  if (spec.stacked === true) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  return withQueries(panel, spec, false);
}

/** One large figure, on a background that says whether it is good. */
export function figure(spec: PanelSpec): cog.Builder<Panel> {
  const panel = describe(new stat.PanelBuilder(), spec, 5)
    .colorMode(BigValueColorMode.BackgroundSolid)
    .graphMode(BigValueGraphMode.Area)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  return withQueries(panel, spec, false);
}

/** One bar for each series, with its value. */
export function bars(spec: PanelSpec): cog.Builder<Panel> {
  const panel = describe(new bargauge.PanelBuilder(), spec, 8)
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .showUnfilled(true)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  return withQueries(panel, spec, true);
}

/** One coloured band for each series: which state it was in, and when. */
export function states(spec: PanelSpec): cog.Builder<Panel> {
  const panel = describe(new statetimeline.PanelBuilder(), spec, 8)
    .fillOpacity(80)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
  return withQueries(panel, spec, false);
}

function describe<T extends AnyPanelBuilder<T>>(builder: T, spec: PanelSpec, height: number): T {
  const panel = builder
    .title(spec.title)
    .description(`${spec.shows}\n\n**When it looks bad:** ${spec.bad}`)
    .datasource(DATASOURCE)
    .span(spec.width)
    .height(height)
    .unit(spec.unit)
    .min(0)
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps(spec)));
  if (spec.max !== undefined) panel.max(spec.max);
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  if (spec.names !== undefined) panel.mappings([mappingOf(spec.names)]);
  if (spec.link !== undefined) {
    const [title, url] = spec.link;
    panel.dataLinks([new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url)]);
  }
  return panel;
}

function withQueries<T extends AnyPanelBuilder<T>>(panel: T, spec: PanelSpec, instant: boolean): T {
  for (const [index, { expr, legend }] of spec.queries.entries()) {
    const query = new DataqueryBuilder()
      .datasource(DATASOURCE)
      .refId(String.fromCharCode(65 + index))
      .expr(expr)
      .legendFormat(legend);
    panel.withTarget(instant ? query.instant() : query.range());
  }
  return panel;
}

function steps(spec: PanelSpec): Threshold[] {
  const { warn, badFrom: bad } = spec;
  if (spec.lowIsBad === true) {
    return [
      { value: null, color: 'red' },
      ...(bad === undefined ? [] : [{ value: bad, color: warn === undefined ? 'green' : 'orange' }]),
      ...(warn === undefined ? [] : [{ value: warn, color: 'green' }]),
    ];
  }
  return [
    { value: null, color: warn === undefined && bad === undefined ? 'blue' : 'green' },
    ...(warn === undefined ? [] : [{ value: warn, color: 'orange' }]),
    ...(bad === undefined ? [] : [{ value: bad, color: 'red' }]),
  ];
}

function mappingOf(names: NonNullable<PanelSpec['names']>): ValueMapping {
  const options = Object.entries(names).map(([value, [text, color]], index) => [value, { text, color, index }]);
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) };
}
