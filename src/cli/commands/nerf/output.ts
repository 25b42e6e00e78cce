import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DafError } from '../../../core/contracts/errors.js';

/**
 * Makes the folder of a file that is to be written in the end, and checks that it can be: before the work, which may take hours.
 * @returns the absolute path
 * @throws DafError ERR_DAF_BAD_OPTION: a folder has that name; ERR_DAF_PERMISSION, ERR_DAF_IO: the folder cannot be made or written to
 */
export async function outputFile(path: string): Promise<string> {
  const file = resolve(path);
  try {
    await mkdir(dirname(file), { recursive: true });
    await access(dirname(file), constants.W_OK);
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  }
  const there = await stat(file).catch(() => null);
  if (there?.isDirectory() === true) {
    throw new DafError('ERR_DAF_BAD_OPTION', `--out ${path}: is a folder`, { hint: 'give the name of a file in it' });
  }
  return file;
}
