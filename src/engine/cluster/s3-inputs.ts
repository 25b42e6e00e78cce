import picomatch from 'picomatch';
import { DafError } from '../../core/contracts/errors.js';
import type { BlobInfo } from '../../core/contracts/stores.js';
import { openBlobStore } from '../stores/open-blob.js';
import { parseS3Url } from '../stores/s3/blob-s3.js';
import type { InputFile } from './inputs.js';

export function isS3Url(input: string): boolean {
  return input.startsWith('s3://');
}

/**
 * Objects of a bucket as inputs: one by its name; all below a prefix that ends in a slash or names no object; or those that match a pattern
 * (`*` and `?` within a name, `**` across slashes, `{a,b}`, `[a-z]`). In the order of their names, which are URLs.
 */
export async function* listS3(input: string): AsyncGenerator<InputFile> {
  const { bucket, key } = parseS3Url(input);
  const root = `s3://${bucket}`;
  const store = openBlobStore(root);
  const found = ({ key: name, bytes, version }: BlobInfo): InputFile => ({
    name: `${root}/${name}`,
    path: `${root}/${name}`,
    bytes,
    version: version ?? null,
    unreadable: false,
  });
  const { isGlob, base } = picomatch.scan(key);
  if (!isGlob) {
    const info = key === '' || key.endsWith('/') ? null : await store.stat(key);
    if (info !== null) {
      yield found(info);
      return;
    }
    const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
    for await (const each of store.list(prefix)) yield found(each);
    return;
  }
  const matches = picomatch(key, { dot: true, flags: 's' });
  for await (const each of store.list(base === '' ? '' : `${base}/`)) {
    if (matches(each.key)) yield found(each);
  }
}

/** A job that opens its inputs by itself does so by path. */
export function refuseS3(input: string): void {
  if (!isS3Url(input)) return;
  throw new DafError('ERR_DAF_UNSUPPORTED', `${input}: this job opens its inputs itself, and knows files only`, {
    hint: 'copy them to a directory that all workers see',
  });
}
