/** `1 key`, `0 keys`, `12 keys`: sentences that people read. @param many where it is not `one` with an s */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
