/** Files of the state directory. */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The ring may hold passwords of nodes. */
const OWNER_ONLY = 0o600;

/**
 * Replaces a file as a whole; to be called again only when that is done. When this returns, it survives a power failure.
 * @throws the system's error
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  await writeSynced(temporary, text);
  await rename(temporary, file);
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** @throws the system's error */
export async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', OWNER_ONLY);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
