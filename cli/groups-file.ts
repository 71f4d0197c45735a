/** The file of `ringproxy groups apply`. */
import { CliError } from './cli-error.js';
import { readNamedYaml } from './named-file.js';

const HINT = 'expected groups as in the configuration, such as pages: { prefixes: ["page:"], cache: near }';

/**
 * @returns the groups as they are written there, by themselves or as `key-groups` of a configuration
 * @throws CliError when it cannot be read, or has none
 */
export function readGroupsFile(file: string): Readonly<Record<string, unknown>> {
  const document = readNamedYaml(file);
  if (!isMap(document)) throw new CliError(`${file} has no groups`, HINT, 2);
  if (!Object.hasOwn(document, 'key-groups')) return document;
  const groups = document['key-groups'] ?? {};
  if (isMap(groups)) return groups;
  throw new CliError(`${file}: its key-groups are no groups`, HINT, 2);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
