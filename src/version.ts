import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The version in package.json, which is one folder up from the sources and two from the build. */
export function readVersion(): string {
  const load = createRequire(import.meta.url);
  for (const path of ['../package.json', '../../package.json']) {
    const file = fileURLToPath(new URL(path, import.meta.url));
    if (!existsSync(file)) continue;
    const manifest: unknown = load(file);
    if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  }
  return 'unknown';
}
