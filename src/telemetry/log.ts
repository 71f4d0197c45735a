import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  readonly format: 'auto' | 'json' | 'pretty';
}

/** The log, on standard error: JSON lines, or lines for people when a person looks at them. */
export function createLogger(options: LogOptions): Logger {
  const forPeople = options.format === 'pretty' || (options.format === 'auto' && process.stderr.isTTY === true);
  const destination: DestinationStream = forPeople
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
    : pino.destination({ fd: 2, sync: true });
  return pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
