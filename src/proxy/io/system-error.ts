import { getSystemErrorName } from 'node:util';

/**
 * The error that Node.js itself would tell of: others decide by its code.
 * @param status a negative number of the system's
 */
export function systemError(call: 'read' | 'write', status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${call} ${code}`), { code, errno: status, syscall: call });
}
