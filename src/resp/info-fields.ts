/** @returns what reads a field of an INFO's text: empty when there is none of that name */
export function fieldsOf(info: string): (name: string) => string {
  return (name) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
}
