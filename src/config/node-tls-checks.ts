import { readTlsFiles } from '../tls/files.js';
import type { TlsFiles } from '../tls/material.js';
import type { Config } from './settings.js';

/** What is wrong with the files for TLS with nodes. @returns a message with the path it belongs to, for each mistake */
export function nodeTlsMistakes(config: Config): { path: string; message: string }[] {
  const mistakes = (prefix: string, files: TlsFiles): { path: string; message: string }[] =>
    readTlsFiles(files).mistakes.map(({ part, message }) => ({ path: `${prefix}-${part}`, message }));
  return [
    ...mistakes('node-tls', nodeTlsFiles(config)),
    ...config.nodes.flatMap(({ files }, index) => (files === undefined ? [] : mistakes(`nodes[${index}].tls`, files))),
  ];
}

/** What is used with nodes that have no files of their own. */
export function nodeTlsFiles({ nodeTlsCa: ca, nodeTlsCert: cert, nodeTlsKey: key }: Config): TlsFiles {
  return { ca, cert, key };
}
