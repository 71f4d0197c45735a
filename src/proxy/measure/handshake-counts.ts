/** How TLS with clients began, or why it did not. */

/**
 * - `ok`: the client was let in as far as TLS is concerned
 * - `no-certificate`, `bad-certificate`: it showed none, or one that is not of `tls-ca`, has expired, or is no client's
 * - `distrusted`: it does not accept the certificate that it was shown
 * - `mismatch`: no version or cipher in common
 * - `not-tls`: it sent something else, such as plain commands or HTTP
 * - `wrong-port`: it sent TLS to `listen`, where that is not spoken
 * - `timeout`, `left`: it did not finish in time, or went away
 * - `crowded`: too many were under way
 * - `failed`: whatever else
 */
export const HANDSHAKE_OUTCOMES = [
  'ok',
  'no-certificate',
  'bad-certificate',
  'distrusted',
  'mismatch',
  'not-tls',
  'wrong-port',
  'timeout',
  'left',
  'crowded',
  'failed',
] as const;

export type HandshakeOutcome = (typeof HANDSHAKE_OUTCOMES)[number];
export type HandshakeCounts = Record<HandshakeOutcome, number>;

export function noHandshakes(): HandshakeCounts {
  return Object.fromEntries(HANDSHAKE_OUTCOMES.map((outcome) => [outcome, 0])) as HandshakeCounts;
}

/** Adds what another process has counted. */
export function addHandshakes(sum: HandshakeCounts, more: HandshakeCounts): void {
  for (const outcome of HANDSHAKE_OUTCOMES) sum[outcome] += more[outcome];
}
