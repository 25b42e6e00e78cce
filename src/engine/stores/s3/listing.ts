import { DafError } from '../../../core/contracts/errors.js';
import type { BlobInfo } from '../../../core/contracts/stores.js';
import { compareKeys } from '../key.js';
import type { S3Client } from './client.js';
import { elements, textOf } from './xml.js';

/**
 * Objects whose keys start with a prefix, in the order of their bytes, a page at a time.
 * @param page objects of one answer, at most 1000
 * @throws DafError ERR_DAF_UNSUPPORTED where an endpoint lists them in another order; as {@link S3Client.send}
 */
export async function* listObjects(client: S3Client, prefix: string, page = 1000): AsyncGenerator<BlobInfo> {
  let last: string | null = null;
  for (let token: string | null = null, more = true; more; ) {
    const { body } = await client.send({
      method: 'GET',
      query: {
        'list-type': '2',
        'encoding-type': 'url',
        'max-keys': String(page),
        prefix,
        ...(token === null ? {} : { 'continuation-token': token }),
      },
    });
    const xml = Buffer.from(body).toString('utf8');
    const isEncoded = textOf(xml, 'EncodingType') === 'url';
    for (const entry of elements(xml, 'Contents')) {
      const key = decodeKey(textOf(entry, 'Key') ?? '', isEncoded);
      if (last !== null && compareKeys(last, key) >= 0) {
        throw new DafError('ERR_DAF_UNSUPPORTED', `s3://${client.bucket} does not list objects in the order of their names`);
      }
      last = key;
      yield { key, bytes: Number(textOf(entry, 'Size')), ...versionOf(textOf(entry, 'ETag')) };
    }
    token = textOf(xml, 'NextContinuationToken');
    more = textOf(xml, 'IsTruncated') === 'true' && token !== null;
  }
}

/** Uploads under a prefix that were begun and neither completed nor aborted. */
export async function listUploads(
  client: S3Client,
  prefix: string,
): Promise<{ readonly key: string; readonly upload: string }[]> {
  const found: { key: string; upload: string }[] = [];
  let markers: Record<string, string> = {};
  for (let more = true; more; ) {
    const { body } = await client.send({ method: 'GET', query: { uploads: '', prefix, 'encoding-type': 'url', ...markers } });
    const xml = Buffer.from(body).toString('utf8');
    const isEncoded = textOf(xml, 'EncodingType') === 'url';
    for (const entry of elements(xml, 'Upload')) {
      found.push({ key: decodeKey(textOf(entry, 'Key') ?? '', isEncoded), upload: textOf(entry, 'UploadId') ?? '' });
    }
    const key = textOf(xml, 'NextKeyMarker');
    more = textOf(xml, 'IsTruncated') === 'true' && key !== null;
    markers = { 'key-marker': decodeKey(key ?? '', isEncoded), 'upload-id-marker': textOf(xml, 'NextUploadIdMarker') ?? '' };
  }
  return found;
}

/** An ETag as one or none of a blob's members; listings and headers do not agree on its quotes. */
export function versionOf(etag: string | null): Pick<BlobInfo, 'version'> {
  const version = etag?.replaceAll('"', '') ?? '';
  return version === '' ? {} : { version };
}

function decodeKey(text: string, isEncoded: boolean): string {
  return isEncoded ? decodeURIComponent(text.replaceAll('+', ' ')) : text;
}
