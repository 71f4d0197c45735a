export const EVERYTHING: 'everything';

export interface Row {
  readonly parts: readonly string[];
  readonly mayImport: readonly string[] | typeof EVERYTHING;
  readonly types?: readonly string[];
}

export const PARTS: readonly Row[];
export const PROXY_ORDER: readonly (readonly string[])[];
export function mayImportText(row: Row): string;
export function proxyOrderText(): string;
