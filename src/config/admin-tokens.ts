/** The tokens of the admin API, of all settings that give some. */
import type { Config } from './settings.js';

/** Those that are valid, by what they are good for. */
export interface AdminTokens {
  readonly admin: readonly string[];
  readonly viewer: readonly string[];
}

type TokenSettings = Pick<Config, 'adminToken' | 'adminTokenFile' | 'adminViewerToken' | 'adminViewerTokenFile'>;

export function adminTokens(config: TokenSettings): AdminTokens {
  return {
    admin: [config.adminToken, ...tokensIn(config.adminTokenFile)].filter((token) => token !== ''),
    viewer: [config.adminViewerToken, ...tokensIn(config.adminViewerTokenFile)].filter((token) => token !== ''),
  };
}

/** @returns what the settings of tokens say against each other */
export function tokenMistakes(config: TokenSettings): { path: string; message: string }[] {
  const mistakes: { path: string; message: string }[] = [];
  for (const [path, text, file] of [
    ['admin-token', config.adminToken, config.adminTokenFile],
    ['admin-viewer-token', config.adminViewerToken, config.adminViewerTokenFile],
  ] as const) {
    const lines = tokensIn(file);
    if (file !== '' && (lines.length === 0 || lines.some((line) => !/^[\x20-\x7e]+$/.test(line)))) {
      mistakes.push({ path: `${path}-file`, message: 'each line is to be a token: visible ASCII characters' });
    }
    if (text !== '' && lines.length > 0) {
      mistakes.push({ path, message: `stands in ${path}-file, too: give one of the two` });
    }
  }
  const { admin, viewer } = adminTokens(config);
  const path = config.adminViewerToken === '' ? 'admin-viewer-token-file' : 'admin-viewer-token';
  if (viewer.length > 0 && admin.length === 0) {
    mistakes.push({
      path,
      message: 'needs an admin-token beside it: where there is none, it is for everybody to change everything',
    });
  }
  if (viewer.some((token) => admin.includes(token))) {
    mistakes.push({ path, message: 'is an admin-token, too: whoever had it could change everything' });
  }
  return mistakes;
}

/** @param text what such a file says @returns its tokens, one of each line */
export function tokensIn(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
