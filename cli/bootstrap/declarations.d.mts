export function apiReport(): string;
export function declarations(options: { readonly comments: boolean }): {
  readonly texts: ReadonlyMap<string, string>;
  readonly mistakes: readonly string[];
};
