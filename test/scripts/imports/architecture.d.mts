export function againstArchitecture(text: string): string[];
