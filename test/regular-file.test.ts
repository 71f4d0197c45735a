/** Files that settings name: what is no file is refused before it is waited for. */
import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../src/config/load.js';
import { readRegularFile, readRegularFileLater } from '../src/regular-file.js';
import { readTlsFiles, readTlsFilesLater } from '../src/tls/files.js';
import { tempFolder } from './support/temp-folder.js';

const folder = tempFolder('regular-file');
const [fifo, link, large, small] = ['fifo', 'link', 'large', 'small'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
  string,
];
execFileSync('mkfifo', [fifo]);
symlinkSync(small, link);
writeFileSync(large, Buffer.alloc(1_048_577, 97));
writeFileSync(small, 'text');

function saidBy(read: () => unknown): string {
  try {
    read();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Nobody writes into the FIFO, and /dev/zero has no end. */
const NO_FILES = [fifo, '/dev/zero', folder];

it('are read to their end, by a symbolic link as well', async () => {
  for (const path of [small, link]) {
    expect(readRegularFile(path, 1_048_576).toString()).toBe('text');
    expect((await readRegularFileLater(path, 1_048_576)).toString()).toBe('text');
  }
  // Files of the kernel say that they have no bytes.
  expect(readRegularFile('/proc/self/status', 1_048_576).toString()).toContain('Pid:');
  expect(readRegularFile(large, 2 * 1_048_576)).toHaveLength(1_048_577);
});

it('are refused at once when they are none, or too large', async () => {
  for (const path of NO_FILES) {
    const said = `${path} is not a regular file`;
    expect(saidBy(() => readRegularFile(path, 1_048_576))).toBe(said);
    await expect(readRegularFileLater(path, 1_048_576)).rejects.toThrow(said);
  }
  expect(saidBy(() => readRegularFile(large, 1_048_576))).toBe(`${large} is larger than 1mb`);
  await expect(readRegularFileLater(large, 1_048_576)).rejects.toThrow(`${large} is larger than 1mb`);
  expect(saidBy(() => readRegularFile(join(folder, 'none'), 1_048_576))).toMatch(/none cannot be read: ENOENT/);
});

describe.each(NO_FILES)('%s', (path) => {
  it.each(['admin-token-file', 'peer-token-file', 'users-file', 'etcd-password-file', 'peer-ca'])(
    'is a mistake as %s',
    (setting) => {
      let mistakes: ConfigError['mistakes'] = [];
      try {
        loadConfig({ settings: { [setting]: path } });
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        mistakes = error.mistakes;
      }
      expect(mistakes).toContainEqual({ where: setting, message: `${path} is not a regular file` });
    },
  );

  it('is a mistake as a certificate and as its key, whoever reads it', async () => {
    const expected = ['cert', 'key'].map((part) => ({ part, message: `${path} is not a regular file` }));
    expect(readTlsFiles({ cert: path, key: path, ca: '' }).mistakes).toEqual(expected);
    expect((await readTlsFilesLater({ cert: path, key: path, ca: '' })).mistakes).toEqual(expected);
  });
});
