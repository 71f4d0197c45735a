/** Client names must not break the lines of CLIENT LIST. */
export function isValidName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

/** What a client says of itself, for CLIENT LIST and for people; empty: nothing. */
export class ClientIdentity {
  #name = '';
  #libraryName = '';
  #libraryVersion = '';

  get name(): string {
    return this.#name;
  }

  get libraryName(): string {
    return this.#libraryName;
  }

  get libraryVersion(): string {
    return this.#libraryVersion;
  }

  /** CLIENT SETNAME. @param name valid, or empty: it takes its name back */
  nameItself(name: string): void {
    this.#name = name;
  }

  /** CLIENT SETINFO. @param value valid, or empty */
  describeLibrary(field: 'lib-name' | 'lib-ver', value: string): void {
    if (field === 'lib-name') this.#libraryName = value;
    else this.#libraryVersion = value;
  }
}
