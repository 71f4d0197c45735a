/** Durations, sizes and flags as people write them. */
const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/** @returns milliseconds of `500ms`, `10s`, `5m`, `1h`, `7d` or a bare number of milliseconds; null when it is none of these */
export function parseDuration(value: unknown): number | null {
  return parseUnit(value, DURATION_UNITS);
}

/** @returns bytes of `64kb`, `32mb`, `1gb` or a bare number of bytes; null when it is none of these */
export function parseSize(value: unknown): number | null {
  return parseUnit(value, SIZE_UNITS);
}

export const FLAG_WORDS = ['true', 'false', 'yes', 'no', 'on', 'off'] as const;

/** @returns null when the text is none of `FLAG_WORDS` */
export function parseFlag(text: string): boolean | null {
  if (text === 'true' || text === 'yes' || text === 'on') return true;
  return text === 'false' || text === 'no' || text === 'off' ? false : null;
}

function parseUnit(value: unknown, units: Readonly<Record<string, number>>): number | null {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : null;
  if (typeof value !== 'string') return null;
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(value.trim());
  if (match === null) return null;
  const [, digits = '', unit = ''] = match;
  const known = unit.toLowerCase();
  // `5constructor` names what every object has.
  const factor = unit === '' ? 1 : Object.hasOwn(units, known) ? units[known] : undefined;
  return factor === undefined ? null : Math.round(Number(digits) * factor);
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0';
  if (milliseconds % 86_400_000 === 0) return `${milliseconds / 86_400_000}d`;
  if (milliseconds % 3_600_000 === 0) return `${milliseconds / 3_600_000}h`;
  if (milliseconds % 60_000 === 0) return `${milliseconds / 60_000}m`;
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}

export function formatSize(bytes: number): string {
  for (const unit of ['gb', 'mb', 'kb']) {
    const factor = SIZE_UNITS[unit] ?? 1;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}
