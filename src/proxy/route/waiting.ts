import { error as encodeError } from '../../resp/encode.js';

/** What `ownerNow` answers for a key that is changing hands. */
export const WAIT = -1;
/** What it answers when the client has waited too long for that. */
export const GAVE_UP = -2;
export const GAVE_UP_REPLY = encodeError('TRYAGAIN the ring is changing, and the key did not arrive in time');
