/** TLS with one server by files that are read once: for who looks at it without being a proxy. */
import { readTlsFiles } from '../tls/files.js';
import { type PartMistake, SAFE_CIPHERS, type TlsFiles } from '../tls/material.js';
import { NodeCredentials, type NodeTls } from './tls.js';

/**
 * @param serverName name or IP address that the server's certificate must bear; empty: the host of its address
 * @returns how it is spoken to, and what is wrong with the files; nothing: they can be used
 */
export function nodeTlsByFiles(
  files: TlsFiles,
  serverName: string,
): { readonly tls: NodeTls; readonly mistakes: readonly PartMistake[] } {
  const { material, mistakes } = readTlsFiles(files);
  const credentials = new NodeCredentials('', material, { minVersion: 'TLSv1.2', ciphers: SAFE_CIPHERS });
  return { tls: { serverName, credentials }, mistakes };
}
