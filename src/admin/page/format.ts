/** Numbers for people. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
/** From here on a figure is written short where there is little room. */
const LONG = 100_000;

export function formatCount(count: number | null): string {
  return count === null ? '–' : whole.format(count);
}

/** A rate: with one decimal where it is small. */
export function formatRate(rate: number): string {
  return rate < 10 ? fine.format(rate) : whole.format(rate);
}

export function formatPercent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '–';
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? whole.format(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** @param seconds null: there was nothing to measure */
export function formatSeconds(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 0)} ms`;
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/**
 * Values beside an axis, which has room for six characters: all of them short where one is long.
 * @param values null: a line without a value, as a logarithmic scale has them
 */
export function formatMarks(values: readonly (number | null)[]): string[] {
  const isLong = values.some((value) => (value ?? 0) >= LONG);
  return values.map((value) => {
    if (value === null) return '';
    return isLong ? short.format(value) : value.toLocaleString('en-US', { maximumFractionDigits: 2 });
  });
}

/** The time of day, with the day where it is not today. */
export function formatTime(at: Date): string {
  const time = at.toLocaleTimeString('en-GB');
  return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString('sv-SE')} ${time}`;
}

/** A sentence of the proxy's with the times in it as people of this place read them. */
export function withLocalTimes(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (time) => formatTime(new Date(time)));
}

/** A mark of the time. @param at seconds. @param step between two marks */
export function formatTick(at: number, step: number): string {
  return new Date(at * 1000).toLocaleTimeString('en-GB').slice(0, step < 60 ? 8 : 5);
}
