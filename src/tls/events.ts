/** What is told of certificates, on `node:diagnostics_channel`; public as those of `proxy/events.ts`. */
import { channel } from 'node:diagnostics_channel';

/** Files of certificates were read again: they are in force, or cannot be used and those of before stay. */
export interface TlsFilesEvent {
  /** What they are for, such as `clients`. */
  use: string;
  /** Paths. */
  files: string[];
  /** What is wrong; empty: they are in force. */
  error: string;
  /** When the first of them expires, as ISO 8601. */
  expires: string;
  summary: string;
}

export const tlsReloaded = channel('ringproxy:tls:reloaded');
export const tlsReloadFailed = channel('ringproxy:tls:reload-failed');
