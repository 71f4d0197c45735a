/** @returns the series of an exposition with their values, in its order: `name{label="value"}` and a number */
export function seriesOf(text: string): [series: string, value: number][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]);
}

/** @returns what a proxy exposes to Prometheus now. @param admin its URL */
export async function scrape(admin: string): Promise<Map<string, number>> {
  return new Map(seriesOf(await (await fetch(`${admin}/metrics`)).text()));
}
