import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { DafError } from '../../../core/contracts/errors.js';
import type { BlobInfo, BlobStore } from '../../../core/contracts/stores.js';
import { checkKey, checkRange, TEMPORARY } from '../key.js';
import { parts, readParts } from './byte-parts.js';
import { S3Client, sha256 } from './client.js';
import { listObjects, listUploads, versionOf } from './listing.js';
import { type S3Settings, s3Settings } from './settings.js';
import { abortUpload, PART_BYTES, Upload } from './upload.js';

const DELETES = 16;
/** Bytes that changed on their way come again; so do those of servers that swap an object and its checksum one after the other. */
const GET_TRIES = 4;
/** Says who made an object, so that a conditional write whose answer was lost can tell whether it was its own. */
const WRITER = 'x-amz-meta-daf-writer';

/**
 * Blobs as objects of a bucket, below a prefix. An object appears whole or not at all; what is larger than a part is uploaded, and
 * published, in parts. Names are given, and the manifest is written, by conditional requests (`If-None-Match: *`), without which an endpoint
 * is refused.
 */
export class S3BlobStore implements BlobStore {
  readonly url: string;
  readonly #client: S3Client;
  readonly #prefix: string;

  /**
   * @param url `s3://bucket[/prefix]`
   * @param settings default: those of the environment
   * @throws DafError ERR_DAF_BAD_OPTION, ERR_DAF_PERMISSION without credentials
   */
  constructor(url: string, settings?: S3Settings) {
    const { bucket, key } = parseS3Url(url);
    const prefix = key.replace(/\/$/, '');
    if (prefix !== '') checkKey(prefix);
    this.url = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
    this.#client = new S3Client(settings ?? s3Settings(), bucket);
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
  }

  async checkUsable(): Promise<void> {
    const key = `${this.#prefix}${TEMPORARY}probe-${randomUUID()}`;
    const headers = { 'if-none-match': '*' };
    const send = async (body: string): Promise<number> => {
      const request = { method: 'PUT', key, headers, body: Buffer.from(body), expected: [412, 501] } as const;
      return (await this.#client.send(request)).status;
    };
    const first = await send('daf');
    const second = first === 501 ? 501 : await send('DAF');
    await this.#client.send({ method: 'DELETE', key, expected: [404] });
    if (second === 412) return;
    throw new DafError('ERR_DAF_UNSUPPORTED', `the endpoint of ${this.url} does not honour If-None-Match on PUT`, {
      hint: 'without it two coordinators could publish over each other: use a store that knows conditional writes',
    });
  }

  async put(key: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    const at = this.#key(key);
    let upload: Upload | null = null;
    let total = 0;
    try {
      for await (const { part, isLast } of parts(bytes, PART_BYTES)) {
        total += part.length;
        if (upload === null && isLast) {
          await this.#putWhole(at, part);
          return { key, bytes: total };
        }
        upload ??= await Upload.begin(this.#client, at);
        await upload.part(part);
      }
      await this.#complete(upload!, at, total);
      return { key, bytes: total };
    } catch (error) {
      await upload?.abort().catch(() => {});
      throw DafError.is(error) ? error : DafError.from(error, 'ERR_DAF_IO');
    }
  }

  async putFile(key: string, path: string): Promise<BlobInfo> {
    checkKey(key);
    try {
      const handle = await open(path, 'r');
      let info: BlobInfo;
      try {
        if (!(await handle.stat()).isFile()) throw new DafError('ERR_DAF_BAD_ARGUMENT', `${path} is not a file`);
        info = await this.put(key, readParts(handle, PART_BYTES));
      } finally {
        await handle.close();
      }
      await rm(path);
      return info;
    } catch (error) {
      throw DafError.from(error, 'ERR_DAF_IO');
    }
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    return this.#putWhole(this.#key(key), bytes, true);
  }

  async get(key: string): Promise<Uint8Array> {
    const request = { method: 'GET', key: this.#key(key), headers: { 'x-amz-checksum-mode': 'ENABLED' } } as const;
    for (let tries = 1; ; tries++) {
      const { body, headers } = await this.#client.send(request);
      const promised = headers.get('x-amz-checksum-sha256');
      // Of an object uploaded in parts it is one of the parts' checksums.
      if (promised === null || promised.includes('-') || promised === sha256(body, 'base64')) return body;
      if (tries === GET_TRIES) {
        throw new DafError('ERR_DAF_IO', `${this.url}/${key}: what came does not have its checksum`, { retryable: true });
      }
    }
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    checkRange(offset, length);
    const at = this.#key(key);
    if (length === 0) {
      await this.#client.send({ method: 'HEAD', key: at });
      return new Uint8Array();
    }
    const end = Math.min(offset + length, Number.MAX_SAFE_INTEGER) - 1;
    const headers = { range: `bytes=${offset}-${end}` };
    const { status, body } = await this.#client.send({ method: 'GET', key: at, headers, expected: [416] });
    if (status === 416) return new Uint8Array();
    return status === 206 ? body : body.subarray(offset, offset + length);
  }

  async stat(key: string): Promise<BlobInfo | null> {
    const { status, headers } = await this.#client.send({ method: 'HEAD', key: this.#key(key), expected: [404] });
    return status === 404 ? null : { key, bytes: Number(headers.get('content-length')), ...versionOf(headers.get('etag')) };
  }

  async *list(prefix: string): AsyncIterable<BlobInfo> {
    for await (const { key, ...about } of listObjects(this.#client, this.#prefix + prefix)) {
      const own = key.slice(this.#prefix.length);
      // Folders made by browsers of buckets are empty objects with a slash at their end.
      if (!own.startsWith(TEMPORARY) && !own.endsWith('/')) yield { key: own, ...about };
    }
  }

  async publish(from: string, to: string): Promise<boolean> {
    const [source, target] = [this.#key(from), this.#key(to)];
    const { headers } = await this.#client.send({ method: 'HEAD', key: source });
    const [bytes, etag] = [Number(headers.get('content-length')), headers.get('etag') ?? ''];
    if ((await this.stat(to)) !== null) return this.#isSame(from, to);
    if (bytes <= PART_BYTES) {
      const made = await this.#putWhole(target, await this.get(from), true);
      return made || this.#isSame(from, to);
    }
    const upload = await Upload.begin(this.#client, target);
    try {
      await upload.copy(source, bytes, etag);
      return (await upload.complete(true)) === true || (await this.#isSame(from, to));
    } catch (error) {
      await upload.abort().catch(() => {});
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    await this.#client.send({ method: 'DELETE', key: this.#key(key), expected: [404] });
  }

  async deletePrefix(prefix: string): Promise<void> {
    const remove = async ({ key, upload }: { key: string; upload?: string }): Promise<void> => {
      if (upload === undefined) await this.#client.send({ method: 'DELETE', key, expected: [404] });
      else await abortUpload(this.#client, key, upload);
    };
    const doomed: { key: string; upload?: string }[] = await this.#uploads(this.#prefix + prefix);
    for await (const { key } of listObjects(this.#client, this.#prefix + prefix)) {
      doomed.push({ key });
      if (doomed.length >= DELETES) await Promise.all(doomed.splice(0).map(remove));
    }
    await Promise.all(doomed.map(remove));
  }

  localPath(key: string): null {
    checkKey(key);
    return null;
  }

  #key(key: string): string {
    checkKey(key);
    return this.#prefix + key;
  }

  /** False when `ifAbsent` and there is one that is not ours. */
  async #putWhole(key: string, body: Uint8Array, ifAbsent = false): Promise<boolean> {
    const writer = ifAbsent ? { 'if-none-match': '*', [WRITER]: randomUUID() } : {};
    const { status, isRepeated } = await this.#client.send({
      method: 'PUT',
      key,
      headers: { 'x-amz-checksum-sha256': sha256(body, 'base64'), ...writer },
      body,
      expected: ifAbsent ? [412] : [],
    });
    if (status !== 412) return true;
    if (!isRepeated) return false;
    const { headers } = await this.#client.send({ method: 'HEAD', key });
    return headers.get(WRITER) === (writer as Record<string, string>)[WRITER];
  }

  async #complete(upload: Upload, key: string, bytes: number): Promise<void> {
    if ((await upload.complete(false)) === true) return;
    const { status, headers } = await this.#client.send({ method: 'HEAD', key, expected: [404] });
    if (status === 404 || Number(headers.get('content-length')) !== bytes) {
      throw new DafError('ERR_DAF_IO', `s3://${this.#client.bucket}/${key}: the upload is gone`, { retryable: true });
    }
  }

  async #uploads(prefix: string): Promise<{ key: string; upload: string }[]> {
    try {
      return await listUploads(this.#client, prefix);
    } catch (error) {
      if (DafError.is(error) && !error.retryable) return []; // not every endpoint knows the request, or allows it
      throw error;
    }
  }

  /** Same ETag, or the same bytes: one part or several make different ETags. */
  async #isSame(a: string, b: string): Promise<boolean> {
    const [one, two] = await Promise.all(
      [a, b].map(async (key) => (await this.#client.send({ method: 'HEAD', key: this.#key(key) })).headers),
    );
    const bytes = Number(one!.get('content-length'));
    if (Number(two!.get('content-length')) !== bytes) return false;
    if (one!.get('etag') !== null && one!.get('etag') === two!.get('etag')) return true;
    for (let at = 0; at < bytes; at += PART_BYTES) {
      const [x, y] = await Promise.all([a, b].map((key) => this.getRange(key, at, PART_BYTES)));
      if (Buffer.compare(x!, y!) !== 0) return false;
    }
    return true;
  }
}

/**
 * `s3://bucket/key` → its parts; the key may be empty.
 * @throws DafError ERR_DAF_BAD_OPTION
 */
export function parseS3Url(url: string): { readonly bucket: string; readonly key: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([\s\S]*))?$/.exec(url);
  if (match === null) throw new DafError('ERR_DAF_BAD_OPTION', `${url}: expected s3://bucket/prefix`);
  return { bucket: match[1]!, key: match[2] ?? '' };
}
