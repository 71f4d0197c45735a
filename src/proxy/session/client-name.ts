/** Client names must not break the lines of CLIENT LIST. */
export function isValidName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}
