import pc from 'picocolors';

/**
 * Colours on a terminal only, unless FORCE_COLOR asks for them; NO_COLOR turns them off. picocolors by itself also
 * colours what goes to a pipe where CI is set, which would break the programs that read it.
 */
const wanted = process.env.FORCE_COLOR !== undefined || process.stdout.isTTY === true;

export const colors = pc.createColors(wanted && pc.isColorSupported);
