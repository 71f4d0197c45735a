/** Errors that the proxy answers itself in several places. */
import { error as encodeError } from '../../resp/encode.js';

/** No ring has been published yet. */
export const NOT_READY = encodeError('NODEDOWN the ring has no nodes yet');
/** The keys of a command have several owners. */
export const CROSSSLOT = encodeError("CROSSSLOT Keys in request don't hash to the same node");
