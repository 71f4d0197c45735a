/** What all dashboards have in common: variables, links between them, marks where the ring changed. */
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCE } from './panels.js';
import { PROXY } from './queries.js';

const TAG = 'ringproxy';

/**
 * Begins a dashboard.
 * @param uid stands in its address: `/d/<uid>`
 * @param withNodes whether it has a variable for the nodes
 */
export function board(uid: string, title: string, description: string, withNodes: boolean): DashboardBuilder {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-15m', to: 'now' })
    .refresh('5s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus').description('A Prometheus.'),
    )
    .withVariable(
      chooser('proxy', 'Proxy', 'label_values(ringproxy_build_info, instance)').description('Proxies to look at.'),
    )
    .annotation(
      new AnnotationQueryBuilder()
        .name('Ring changes')
        .datasource(DATASOURCE)
        .enable(true)
        .iconColor('purple')
        .expr(`max (ringproxy_ring_phase{${PROXY},phase!="stable"}) == 1`)
        .titleFormat('The ring changes')
        .step('5s'),
    )
    .link(
      new DashboardLinkBuilder('ringproxy')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    );
  if (withNodes) {
    const nodes = `label_values(ringproxy_ring_share{${PROXY}}, node)`;
    builder.withVariable(chooser('node', 'Node', nodes).description('Redis nodes to look at.'));
  }
  return builder;
}

function chooser(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ query, refId: `variable-${name}` })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}
