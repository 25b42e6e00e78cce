import { DafError } from '../../../core/contracts/errors.js';
import { encodeKey, type S3Client } from './client.js';
import { escapeText, textOf } from './xml.js';

/** Objects up to this size are written by one request; larger ones in parts of it. */
export const PART_BYTES = 8 << 20;
const MAX_PARTS = 10_000;
const PARALLEL = 2;
/** Copied inside the server, so that size costs this process nothing. */
const COPY_PART_BYTES = 256 << 20;

/**
 * An object that comes into being in parts. Readers see nothing of it before {@link complete}; what was not completed is aborted, or
 * found and aborted when its prefix is deleted.
 */
export class Upload {
  readonly #client: S3Client;
  readonly #key: string;
  readonly #id: string;
  readonly #parts: Promise<string>[] = [];
  #failed: unknown = null;

  private constructor(client: S3Client, key: string, id: string) {
    this.#client = client;
    this.#key = key;
    this.#id = id;
  }

  static async begin(client: S3Client, key: string): Promise<Upload> {
    const { body } = await client.send({ method: 'POST', key, query: { uploads: '' } });
    const id = textOf(Buffer.from(body).toString('utf8'), 'UploadId');
    if (id === null) throw new DafError('ERR_DAF_IO', `s3://${client.bucket}/${key}: no upload was begun`, { retryable: true });
    return new Upload(client, key, id);
  }

  /** Sends the next part; resolves when there is room for another. The bytes must stay as they are until the upload has ended. */
  async part(bytes: Uint8Array): Promise<void> {
    await this.#add(async (query) => {
      const { headers } = await this.#client.send({ method: 'PUT', key: this.#key, query, body: bytes });
      return headers.get('etag') ?? '';
    });
  }

  /** Fills the upload with the bytes of another object. */
  async copy(from: string, bytes: number, etag: string): Promise<void> {
    const source = `/${this.#client.bucket}/${encodeKey(from)}`;
    for (let at = 0; at < bytes; at += COPY_PART_BYTES) {
      const range = `bytes=${at}-${Math.min(bytes, at + COPY_PART_BYTES) - 1}`;
      const headers = { 'x-amz-copy-source': source, 'x-amz-copy-source-range': range, 'x-amz-copy-source-if-match': etag };
      await this.#add(async (query) => {
        const { body } = await this.#client.send({ method: 'PUT', key: this.#key, query, headers });
        const copied = textOf(Buffer.from(body).toString('utf8'), 'ETag');
        if (copied === null) throw this.#said(body);
        return copied;
      });
    }
  }

  /**
   * Makes the object. With `ifAbsent` only where its key has none.
   * @returns false when the key was taken; null when that is not known, since an earlier try of the same request may have done it
   */
  async complete(ifAbsent: boolean): Promise<boolean | null> {
    const etags = await Promise.all(this.#parts);
    const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escapeText(etag)}</ETag></Part>`);
    const { status, body, isRepeated } = await this.#client.send({
      method: 'POST',
      key: this.#key,
      query: { uploadId: this.#id },
      headers: { 'content-type': 'application/xml', ...(ifAbsent ? { 'if-none-match': '*' } : {}) },
      body: Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`),
      expected: [404, 412],
    });
    if (status === 412) {
      await this.abort();
      return isRepeated ? null : false;
    }
    if (status === 404 && isRepeated) return null;
    // The server begins to answer 200 before it has finished, and may then say that it could not.
    if (status !== 200 || textOf(Buffer.from(body).toString('utf8'), 'ETag') === null) throw this.#said(body);
    return true;
  }

  async abort(): Promise<void> {
    await Promise.allSettled(this.#parts);
    await abortUpload(this.#client, this.#key, this.#id);
  }

  async #add(send: (query: Readonly<Record<string, string>>) => Promise<string>): Promise<void> {
    if (this.#failed !== null) throw this.#failed;
    const number = this.#parts.length + 1;
    if (number > MAX_PARTS)
      throw new DafError('ERR_DAF_IO', `${this.#key} is larger than ${MAX_PARTS} parts of ${PART_BYTES} bytes`);
    const part = send({ partNumber: String(number), uploadId: this.#id });
    part.catch((error: unknown) => {
      this.#failed ??= error;
    });
    this.#parts.push(part);
    const ahead = this.#parts[this.#parts.length - PARALLEL];
    if (ahead !== undefined) await ahead;
  }

  #said(body: Uint8Array): DafError {
    const xml = Buffer.from(body).toString('utf8');
    const why = `${textOf(xml, 'Code') ?? 'no ETag'} ${textOf(xml, 'Message') ?? ''}`.trimEnd();
    return new DafError('ERR_DAF_IO', `s3://${this.#client.bucket}/${this.#key}: ${why}`, { retryable: true });
  }
}

export async function abortUpload(client: S3Client, key: string, upload: string): Promise<void> {
  await client.send({ method: 'DELETE', key, query: { uploadId: upload }, expected: [404] });
}
