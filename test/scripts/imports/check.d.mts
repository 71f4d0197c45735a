export interface Fault {
  readonly rule: string;
  /** A file, or `FILE → FILE`. */
  readonly text: string;
}

export type Ratchet = Readonly<Record<string, number>>;

export interface Checked {
  readonly faults: readonly Fault[];
  readonly figures: Readonly<Record<string, number>>;
  /** The files of the largest circle. */
  readonly circle: readonly string[];
  readonly hubs: readonly (readonly [file: string, importers: number])[];
  readonly ratchet: Ratchet;
}

export function checkImports(folder: string): Promise<Checked>;
export function againstRatchet(ratchet: Ratchet, recorded: Ratchet): string[];
export function ruleNames(): string[];
