/** Where a click on a figure or a series leads. Grafana fills in what stands in `${…}`. */

/** A title, and an address within Grafana. */
export type Link = readonly [title: string, url: string];

/** What the reader has chosen goes along: where the data come from, which proxies, and the time. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills these in.
const CHOSEN = '${datasource:queryparam}&${proxy:queryparam}&${__url_time_range}';

/** To another dashboard. @param uid as given to `board` */
export function toBoard(uid: string, title: string): Link {
  return [title, `/d/${uid}?${CHOSEN}`];
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills this in.
const THIS_NODE = 'var-node=${__field.labels.node}';

/** To the node that was clicked on, alone. */
export const TO_NODE: Link = ['Only this node', `/d/ringproxy-nodes?${THIS_NODE}&${CHOSEN}`];
