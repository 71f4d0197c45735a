/** Which keys commands had on several nodes, and what would bring them together, as operators see it. */
import type { AdviceView } from '../../admin/api.js';
import type { ApartKeys } from '../../proxy/measure/apart/apart-keys.js';
import { escapeKey } from '../hot-keys/hot-view.js';

/** @param rows the commonest first @param limit rows at most */
export function adviceView(rows: readonly ApartKeys[], limit: number): AdviceView {
  return {
    commands: rows.reduce((sum, { calls }) => sum + calls, 0),
    advice: rows.slice(0, limit).map(({ command, isSplit, calls, shapes, tagged, kind, example }) => {
      // Its parts run side by side: all of its keys on one node would be worse.
      const isWorth = tagged !== null && !(isSplit && kind === 'prefix');
      return {
        command: command.toUpperCase().replace('|', ' '),
        calls,
        keys: [...shapes],
        tagged: isWorth ? [...tagged] : null,
        scope: isWorth ? kind : null,
        example: example.map((key) => escapeKey(Buffer.from(key, 'latin1'))),
      };
    }),
  };
}
