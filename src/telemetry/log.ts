import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino } from 'pino';
import type PinoPretty from 'pino-pretty';

export type { Logger } from 'pino';

/** What the line for people says already, or they have no use for. */
const LEFT_OUT = 'pid,hostname,event,summary,change';

export interface LogOptions {
  readonly level: string;
  readonly format: 'auto' | 'json' | 'pretty';
}

/**
 * The log, on standard error: JSON lines, or lines for people when a person looks at them.
 * @param logTo takes the JSON lines instead
 */
export function createLogger(options: LogOptions, logTo?: (line: string) => void): Logger {
  return pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    logTo === undefined ? standardError(options) : { write: (text: string) => logTo(text.trimEnd()) },
  );
}

function standardError({ format }: LogOptions): DestinationStream {
  const forPeople = format === 'pretty' || (format === 'auto' && process.stderr.isTTY === true);
  if (!forPeople) return pino.destination({ fd: 2, sync: true });
  // Loaded when it is needed: most proxies start faster without it.
  const pretty: typeof PinoPretty = createRequire(import.meta.url)('pino-pretty');
  return pretty({
    destination: 2,
    sync: true,
    singleLine: true,
    ignore: LEFT_OUT,
    translateTime: 'SYS:HH:MM:ss.l',
  });
}
