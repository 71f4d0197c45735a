/** The frame was handled. */
export const TAKEN = 0;
/** The frame was not handled: the same frame is to be offered again when the client is resumed. */
export const LATER = 1;

/** The frame was answered from what the process keeps, and those behind it may be, too. */
export const ANSWERED = 2;

/** Whether a frame was handled, or must be offered again. */
export type Verdict = typeof TAKEN | typeof LATER;
export type FrameVerdict = Verdict | typeof ANSWERED;
