/** How often somebody could not log in, by why. */
export interface AuthFailureCounts {
  'unknown-user': number;
  'user-off': number;
  'wrong-password': number;
  /** It was not looked at, since too many passwords had been tried from its address. */
  'too-many': number;
}

export const AUTH_FAILURES = [
  'unknown-user',
  'user-off',
  'wrong-password',
  'too-many',
] as const satisfies readonly (keyof AuthFailureCounts)[];

export function noAuthFailures(): AuthFailureCounts {
  return { 'unknown-user': 0, 'user-off': 0, 'wrong-password': 0, 'too-many': 0 };
}

export function addAuthFailures(sum: AuthFailureCounts, more: Readonly<AuthFailureCounts>): void {
  for (const reason of AUTH_FAILURES) sum[reason] += more[reason];
}
