export const APPLICATIONS: readonly string[];
export function isInstalled(program: string): boolean;
