import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DafError } from '../../core/contracts/errors.js';

/** A photo ready to be decoded. Close it when done. */
export interface OpenPhoto extends AsyncDisposable {
  /** What sharp takes. */
  readonly input: string | Uint8Array;
  /** SHA-256 of the file, hex. */
  readonly contentHash: string;
}

const CHUNK = 1 << 18;

/** @throws DafError ERR_DAF_BAD_IMAGE (empty, not a regular file), ERR_DAF_PERMISSION, ERR_DAF_NOT_FOUND, ERR_DAF_IO. */
export async function openPhoto(photo: { path: string | Buffer } | { bytes: Uint8Array }): Promise<OpenPhoto> {
  if ('bytes' in photo) {
    if (photo.bytes.length === 0) throw emptyFile();
    const contentHash = createHash('sha256').update(photo.bytes).digest('hex');
    return { input: photo.bytes, contentHash, [Symbol.asyncDispose]: async () => {} };
  }
  const handle = await openRegular(photo.path);
  try {
    const contentHash = await hashFile(handle);
    // By descriptor: libvips reads names as options ("a.jpg[shrink=2]") and as UTF-8, and photos have any name.
    const input = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : await readAll(handle);
    return { input, contentHash, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw DafError.from(error, 'ERR_DAF_IO');
  }
}

async function openRegular(path: string | Buffer): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    // Non-blocking, so that a named pipe among the photos cannot hold the task for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    // Without the path: a refusal names the photo as it was given, and reads the same wherever the photos lie.
    const { code, message, hint } = DafError.from(error, 'ERR_DAF_IO');
    throw new DafError(code, message.replace(/, open .*$/s, ''), { hint, cause: error });
  }
  const stat = await handle.stat();
  if (stat.isFile() && stat.size > 0) return handle;
  await handle.close();
  throw stat.isFile() ? emptyFile() : new DafError('ERR_DAF_BAD_IMAGE', 'not a regular file');
}

function emptyFile(): DafError {
  return new DafError('ERR_DAF_BAD_IMAGE', 'the file is empty', { hint: 'fetch or copy it again' });
}

async function hashFile(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
  }
}

async function readAll(handle: FileHandle): Promise<Uint8Array> {
  const { size } = await handle.stat();
  const bytes = Buffer.allocUnsafe(size);
  const { bytesRead } = await handle.read(bytes, 0, size, 0);
  return bytes.subarray(0, bytesRead);
}
