/** The frame was handled. */
export const TAKEN = 0;
/** The frame was not handled: the same frame is to be offered again when the client is resumed. */
export const LATER = 1;

/** Whether a frame was handled, or must be offered again. */
export type Verdict = typeof TAKEN | typeof LATER;
