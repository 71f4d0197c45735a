import { readFileSync } from 'node:fs';

/** What the load generator is asked for by the environment. */
export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  /** Connections, each with one operation at a time. */
  readonly connections: number;
  /** Operations a second of all connections; 0: as fast as answers come. */
  readonly rate: number;
  /** Different keys that are read. */
  readonly keys: number;
  /** Seconds that a key lives at most. */
  readonly ttl: number;
  /** Keys with one version after another, of which an older one must never be read again; 0: none. */
  readonly versions?: number;
  /** Certificates (PEM) of the authorities that the cache's is signed by; undefined: it is spoken to without TLS. */
  readonly ca?: string | undefined;
  /** Empty: nobody. */
  readonly username?: string;
  readonly password?: string;
}

/** @throws Error that names the variable whose value is not understood */
export function optionsFrom(environment: Readonly<Record<string, string | undefined>>): LoadOptions {
  const number = (name: string, standard: number, least: number): number => {
    const text = environment[name] ?? '';
    const value = text === '' ? standard : Number(text);
    if (Number.isInteger(value) && value >= least) return value;
    throw new Error(`${name}=${text}: expected a whole number of at least ${least}`);
  };
  return {
    host: environment.LOAD_HOST || '127.0.0.1',
    port: number('LOAD_PORT', 6380, 1),
    connections: number('LOAD_CONNECTIONS', 16, 1),
    rate: number('LOAD_RATE', 2000, 0),
    keys: number('LOAD_KEYS', 50_000, 1),
    ttl: number('LOAD_TTL', 600, 1),
    versions: number('LOAD_VERSIONS', 0, 0),
    ca: environment.LOAD_TLS_CA ? readFileSync(environment.LOAD_TLS_CA, 'utf8') : undefined,
    username: environment.LOAD_USERNAME ?? '',
    password: environment.LOAD_PASSWORD ?? '',
  };
}
