/**
 * @param info the text of INFO, or of its section `server`
 * @returns what tells a server process from one that was started later; empty when it does not say
 */
export function readRunId(info: string): string {
  return /^run_id:([0-9a-f]+)\r?$/m.exec(info)?.[1] ?? '';
}
