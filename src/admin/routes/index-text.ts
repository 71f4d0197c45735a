/** What `GET /v1` lists. */
import { partsOf, routeRows } from './table.js';

const METHOD_WIDTH = 'DELETE'.length;
const PATH_WIDTH = 38;

/** @returns a line a route, for people */
export function routeIndex(): string {
  const lines = routeRows().map(([name, { help, query = {} }]) => {
    const { method, path } = partsOf(name);
    const words = Object.keys(query).map((word) => `${word}=`);
    const asks = words.length === 0 ? '' : ` (?${words.join(', ')})`;
    return `${method.padEnd(METHOD_WIDTH)} ${placed(path).padEnd(PATH_WIDTH)} ${help}${asks}`;
  });
  return `ringproxy admin API\n\n${lines.join('\n')}\n`;
}

/** With capitals for what differs. */
function placed(path: string): string {
  return path.replace('*', ':file').replace(/:(\w+)/g, (_all, word: string) => word.toUpperCase());
}
