import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DafError } from '../../core/contracts/errors.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import { DirectoryBlobStore } from './blob-directory.js';
import { S3BlobStore } from './s3/blob-s3.js';

// Apart from open.ts, because a worker's task threads open blobs and must not load lmdb for that.

/**
 * The store behind a job's output URL; the directory of a `file:` URL is made at the first write.
 * @throws DafError ERR_DAF_BAD_OPTION; ERR_DAF_PERMISSION for S3 without credentials
 */
export function openBlobStore(url: string): BlobStore {
  if (url.startsWith('file:')) return new DirectoryBlobStore(localDirectory(url));
  if (url.startsWith('s3:')) return new S3BlobStore(url);
  throw new DafError('ERR_DAF_BAD_OPTION', `${url}: expected file:///directory or s3://bucket/prefix`);
}

/** The path of a `file:` URL. @throws DafError ERR_DAF_BAD_OPTION */
export function localDirectory(url: string): string {
  try {
    const path = fileURLToPath(url);
    if (isAbsolute(path)) return path;
  } catch {
    // Said below.
  }
  throw new DafError('ERR_DAF_BAD_OPTION', `${url}: expected file:///directory`);
}
