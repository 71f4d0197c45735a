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
  };
}
