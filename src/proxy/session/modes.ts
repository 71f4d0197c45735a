/**
 * What a client has entered that concerns its commands or its replies: a bit each, so that a command which has to do
 * with none of them costs one look. What a feature knows of the client meanwhile, the feature keeps (`ClientStates`).
 */

/** Between MULTI and EXEC. */
export const IN_TRANSACTION = 1;
/** Subscribed to something, or about to be. */
export const SUBSCRIBED = 2;
/** Told of changes of keys (CLIENT TRACKING). */
export const TRACKS = 4;
/** Watches keys (WATCH). */
export const WATCHES = 8;
/** Shown what others send (MONITOR). */
export const MONITORS = 16;
/** CLIENT NO-EVICT, of which nothing but CLIENT LIST takes notice. */
export const NO_EVICT = 32;
/** CLIENT NO-TOUCH, likewise. */
export const NO_TOUCH = 64;

/** A read of its waits for another client that fills the key. */
export const AWAITS_FILL = 128;

/** Its user may not do everything: each of its commands is looked at. */
export const RESTRICTED = 256;

/** Each of its commands is counted before it is handled, and refused beyond a rate. */
export const METERED = 512;

export type Mode =
  | typeof IN_TRANSACTION
  | typeof SUBSCRIBED
  | typeof TRACKS
  | typeof WATCHES
  | typeof MONITORS
  | typeof NO_EVICT
  | typeof NO_TOUCH
  | typeof AWAITS_FILL
  | typeof RESTRICTED
  | typeof METERED;

/** Its commands are looked at more closely than others' in these modes. */
export const ATTENDED = IN_TRANSACTION | SUBSCRIBED | TRACKS | AWAITS_FILL | RESTRICTED | METERED;
/** It is sent messages that answer nothing, so it may be silent itself for as long as it likes. */
export const LISTENS = SUBSCRIBED | MONITORS;
