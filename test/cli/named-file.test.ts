import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readPassword } from '../../cli/access-options.js';
import { findAuthority } from '../../cli/authority.js';
import { readGroupsFile } from '../../cli/groups-file.js';
import { readNamedFile, readNamedYaml } from '../../cli/named-file.js';
import { findCertificate } from '../../cli/own-certificate.js';
import { findToken } from '../../cli/token.js';
import { tempFolder } from '../support/temp-folder.js';

const folder = tempFolder('named-file');
const NONE = join(folder, 'none');

const THERE = join(folder, 'there');
writeFileSync(THERE, 'x');

const readers: readonly [string, (file: string) => unknown][] = [
  ['the password', readPassword],
  ['the token', (tokenFile) => findToken({ tokenFile }, {})],
  ["the authority's certificate", (ca) => findAuthority({ ca }, {})],
  ['the certificate', (cert) => findCertificate({ cert, key: THERE }, {})],
  ['the private key', (key) => findCertificate({ cert: THERE, key }, {})],
  [NONE, readGroupsFile],
  [NONE, readNamedYaml],
];

it.each(readers)('%s that is not there is a wrong call, and its message says which and why', (called, read) => {
  expect(() => read(NONE)).toThrow(
    expect.objectContaining({
      message: `${called} cannot be read: ENOENT: no such file or directory, open '${NONE}'`,
      exitCode: 2,
      hint: expect.stringMatching(/./),
    }),
  );
});

it('YAML that is none is told with its place', () => {
  const file = join(folder, 'wrong.yaml');
  writeFileSync(file, 'nodes: [a\nb: ]');
  expect(() => readNamedYaml(file)).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/wrong\.yaml is not YAML: .*line 2/s), exitCode: 2 }),
  );
});

it('a folder is told as one', () => {
  mkdirSync(join(folder, 'd'));
  expect(() => readNamedFile(join(folder, 'd'), 'the file', 'name a file')).toThrow(/the file cannot be read: EISDIR/);
});
