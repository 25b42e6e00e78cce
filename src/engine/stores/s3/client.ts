import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { DafError } from '../../../core/contracts/errors.js';
import { bucketUrl, type S3Settings } from './settings.js';
import { textOf } from './xml.js';

const TRIES = 7;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5000;
const TIMEOUT_MS = 120_000;

const EMPTY = new Uint8Array();
const EMPTY_SHA256 = createHash('sha256').digest('hex');

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Without it the request is for the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Answers that are no errors beside 2xx. */
  readonly expected?: readonly number[];
}

export interface S3Response {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** An earlier try of this request was not answered and may have been carried out. */
  readonly isRepeated: boolean;
}

/**
 * Signed requests to one bucket, over any endpoint that speaks S3. Every body is signed with its SHA-256, so that the server refuses one
 * that changed on its way. Network errors, 5xx, 429 and the like are tried again with growing pauses, seven times in all.
 */
export class S3Client {
  readonly bucket: string;
  readonly #settings: S3Settings;
  readonly #base: string;
  readonly #keys = new Map<string, ArrayBuffer>();

  constructor(settings: S3Settings, bucket: string) {
    this.bucket = bucket;
    this.#settings = settings;
    this.#base = bucketUrl(settings, bucket);
  }

  /** @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_PERMISSION, ERR_DAF_BAD_OPTION; ERR_DAF_IO (retryable) when all tries have failed */
  async send(request: S3Request): Promise<S3Response> {
    let isRepeated = false;
    for (let tries = 1, most = FIRST_PAUSE_MS; ; tries++, most = Math.min(MAX_PAUSE_MS, most * 2)) {
      const outcome = await this.#once(request);
      if ('response' in outcome && (outcome.response.ok || request.expected?.includes(outcome.response.status) === true)) {
        const { status, headers } = outcome.response;
        return { status, headers, body: outcome.body, isRepeated };
      }
      const error = this.#error(request, outcome);
      if (!error.retryable || tries === TRIES) throw error;
      // A refusal to work leaves nothing behind; anything else may have been carried out.
      isRepeated ||= !('response' in outcome) || (outcome.response.status !== 503 && outcome.response.status !== 429);
      await new Promise((resolve) => setTimeout(resolve, most * (0.5 + Math.random() / 2)));
    }
  }

  async #once(request: S3Request): Promise<{ response: Response; body: Uint8Array } | { failure: unknown }> {
    const { method, body = EMPTY } = request;
    const { credentials, region } = this.#settings;
    const { url, headers } = await new AwsV4Signer({
      method,
      url: this.#url(request),
      headers: { ...request.headers, 'x-amz-content-sha256': body.length === 0 ? EMPTY_SHA256 : sha256(body, 'hex') },
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === null ? {} : { sessionToken: credentials.sessionToken }),
      service: 's3',
      region,
      cache: this.#keys,
    }).sign();
    try {
      const hasBody = method === 'PUT' || method === 'POST';
      const response = await fetch(url, {
        method,
        headers,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(hasBody ? { body: body as Uint8Array<ArrayBuffer> } : {}),
      });
      const received = new Uint8Array(await response.arrayBuffer());
      const promised = response.headers.get('content-length');
      if (method !== 'HEAD' && promised !== null && Number(promised) !== received.length) {
        return { failure: new Error(`${received.length} bytes came instead of ${promised}`) };
      }
      return { response, body: received };
    } catch (failure) {
      return { failure };
    }
  }

  #url({ key, query = {} }: S3Request): string {
    const path = key === undefined ? '/' : `/${encodeKey(key)}`;
    const search = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
    return `${this.#base}${path}${search.length === 0 ? '' : `?${search.join('&')}`}`;
  }

  #error(request: S3Request, outcome: { response: Response; body: Uint8Array } | { failure: unknown }): DafError {
    const what = `${request.method} s3://${this.bucket}/${request.key ?? ''}`;
    if ('failure' in outcome) {
      return new DafError('ERR_DAF_IO', `${what}: ${reason(outcome.failure)}`, {
        hint: `is ${this.#base} reachable? AWS_ENDPOINT_URL_S3 names another endpoint`,
        retryable: true,
      });
    }
    const { status, headers } = outcome.response;
    const xml = Buffer.from(outcome.body).toString('utf8');
    const code = textOf(xml, 'Code') ?? '';
    const message = `${what}: ${status} ${code} ${textOf(xml, 'Message') ?? ''}`.trimEnd();
    if (status === 404) return new DafError('ERR_DAF_NOT_FOUND', message);
    const region = headers.get('x-amz-bucket-region') ?? textOf(xml, 'Region');
    if (status === 301 || status === 307 || code === 'AuthorizationHeaderMalformed') {
      return new DafError('ERR_DAF_BAD_OPTION', message, {
        hint: region === null ? 'set AWS_REGION to the bucket’s region' : `the bucket is in ${region}: set AWS_REGION`,
      });
    }
    if (status === 401 || status === 403) {
      return new DafError('ERR_DAF_PERMISSION', message, { hint: 'may these credentials read, write, list and delete here?' });
    }
    const passing = status >= 500 || status === 429 || status === 408 || status === 409 || code === 'RequestTimeout';
    return new DafError('ERR_DAF_IO', message, { retryable: passing && status !== 501 });
  }
}

/** Of some bytes, as S3's headers want it. */
export function sha256(bytes: Uint8Array, encoding: 'hex' | 'base64'): string {
  return createHash('sha256').update(bytes).digest(encoding);
}

/** A key as it stands in a URL's path. */
export function encodeKey(key: string): string {
  return key.split('/').map(encode).join('/');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `fetch failed` says nothing; its cause does. */
function reason(failure: unknown): string {
  const { message, cause } = failure as Error;
  return cause instanceof Error ? cause.message : message;
}
