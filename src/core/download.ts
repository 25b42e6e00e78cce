import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DafError } from './contracts/errors.js';

export interface DownloadOptions {
  /** http or https. */
  readonly url: string;
  /** The file to make. While it is fetched it lies beside it as `.part`, with a note of what it is part of. */
  readonly to: string;
  /** What the file must be, hex; null: whatever is served is taken, and its hash is the answer's. */
  readonly sha256: string | null;
  /** Its length, where known. */
  readonly bytes?: number | null | undefined;
  /** More than this is not fetched. */
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @param total null where the server does not say. */
  readonly progress?: ((received: number, total: number | null) => void) | undefined;
  /** Tries in a row that bring no byte. @defaultValue 5 */
  readonly attempts?: number | undefined;
  /** Wait before the second try, doubled for each further one. @defaultValue 500 ms */
  readonly retryMs?: number | undefined;
  /** A connection silent for this long is given up. @defaultValue 30 s */
  readonly idleMs?: number | undefined;
}

export interface Downloaded {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Bytes that earlier runs and connections had left and the last one did not fetch again. */
  readonly resumed: number;
}

/** What a `.part` file is part of. A part whose note does not fit is thrown away. */
interface Note {
  readonly url: string;
  /** ETag or Last-Modified, sent as If-Range: a file that changed meanwhile comes whole. */
  readonly validator: string | null;
}

/**
 * Fetches a file: resumes what an earlier run left, goes on after cut connections, and gives the file its name only when it is
 * whole, has the length and hash expected, and is on the disk.
 * @throws DafError ERR_DAF_BAD_ARGUMENT (no http address), ERR_DAF_NOT_FOUND, ERR_DAF_PERMISSION (the server refuses),
 * ERR_DAF_UNREACHABLE (no answer, or only failures), ERR_DAF_VERIFY (the bytes are not the ones expected; nothing is left),
 * ERR_DAF_BAD_DATA (larger than `maxBytes`), ERR_DAF_CANCELLED (what came stays for the next run), ERR_DAF_IO.
 */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  checkAddress(options.url);
  await mkdir(dirname(options.to), { recursive: true });
  const part = `${options.to}.part`;
  const first = await fetchWhole(options, part);
  const wrong = await wrongness(options, part, first.type);
  if (wrong === null) return keep(options, part, first.resumed);
  await forget(part);
  // A part of an earlier run may have been the wrong one: only a file fetched whole is to blame.
  if (first.resumed === 0) throw wrong;
  const second = await fetchWhole(options, part);
  const still = await wrongness(options, part, second.type);
  if (still === null) return keep(options, part, 0);
  await forget(part);
  throw still;
}

function checkAddress(url: string): void {
  const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: 'none' };
  if (protocol === 'http:' || protocol === 'https:') return;
  throw new DafError('ERR_DAF_BAD_ARGUMENT', `${url} is no http or https address`);
}

interface Fetched {
  readonly resumed: number;
  /** Content type of the last answer. */
  readonly type: string;
}

async function fetchWhole(options: DownloadOptions, part: string): Promise<Fetched> {
  const { attempts = 5, retryMs = 500 } = options;
  let failures = 0;
  for (;;) {
    const before = await partSize(options, part);
    try {
      const { done, resumed, type } = await fetchMore(options, part, before);
      if (done) return { resumed, type };
      throw new DafError('ERR_DAF_UNREACHABLE', `${options.url}: the connection was cut`, { retryable: true });
    } catch (cause) {
      const error = failureOf(options, cause);
      failures = (await partSize(options, part)) > before ? 1 : failures + 1;
      if (!error.retryable || failures >= attempts) throw error;
    }
    await sleep(retryMs * 2 ** (failures - 1), undefined, { signal: options.signal }).catch(() => {
      throw cancelled(options.url);
    });
  }
}

/** Bytes of a part that may be gone on with, else 0. */
async function partSize({ url, sha256 }: DownloadOptions, part: string): Promise<number> {
  try {
    const note = JSON.parse(await readFile(`${part}.json`, 'utf8')) as Note;
    // Without validator nothing but the hash tells whether both halves are of one file.
    if (note.url !== url || (note.validator === null && sha256 === null)) return 0;
    return (await stat(part)).size;
  } catch {
    return 0;
  }
}

async function fetchMore(options: DownloadOptions, part: string, from: number): Promise<Fetched & { done: boolean }> {
  const { url, idleMs = 30_000 } = options;
  const abort = new AbortController();
  const stop = (): void => abort.abort(cancelled(url));
  options.signal?.addEventListener('abort', stop, { once: true });
  if (options.signal?.aborted) stop();
  const silent = (): void =>
    abort.abort(new DafError('ERR_DAF_UNREACHABLE', `${url}: silent for ${idleMs} ms`, { retryable: true }));
  const timer = setTimeout(silent, idleMs);
  try {
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (from > 0) {
      headers['range'] = `bytes=${from}-`;
      const { validator } = JSON.parse(await readFile(`${part}.json`, 'utf8')) as Note;
      if (validator !== null) headers['if-range'] = validator;
    }
    const response = await fetch(url, { headers, signal: abort.signal, redirect: 'follow' });
    const type = response.headers.get('content-type') ?? '';
    if (response.url.startsWith('http:') && url.startsWith('https:')) {
      await response.body?.cancel();
      throw new DafError('ERR_DAF_PERMISSION', `${url} leads to an address without encryption: ${response.url}`);
    }
    const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
    if (response.status === 416) {
      await response.body?.cancel();
      if (range !== null && Number(range[2]) === from) return { done: true, resumed: from, type };
      await forget(part);
      return { done: false, resumed: 0, type };
    }
    if (response.status !== 200 && response.status !== 206) {
      await response.body?.cancel();
      throw refusal(url, response.status);
    }
    // Whatever part is sent is only appended where it begins exactly where ours ends.
    const start = response.status === 206 && range !== null && Number(range[1]) === from ? from : 0;
    if (response.status === 206 && start !== from) {
      await response.body?.cancel();
      await forget(part);
      return { done: false, resumed: 0, type };
    }
    const total = totalOf(response, range, start);
    checkSize(options, total ?? 0);
    const etag = response.headers.get('etag');
    const validator = etag !== null && !etag.startsWith('W/') ? etag : response.headers.get('last-modified');
    await writeFile(`${part}.json`, JSON.stringify({ url, validator } satisfies Note));
    const handle = await open(part, start === 0 ? 'w' : 'r+');
    let at = start;
    try {
      options.progress?.(at, total);
      for await (const chunk of response.body ?? []) {
        timer.refresh();
        await writeAll(handle, chunk as Uint8Array, at);
        at += chunk.length;
        checkSize(options, at);
        options.progress?.(at, total);
      }
    } finally {
      await handle.close();
    }
    return { done: total === null || at === total, resumed: start, type };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
  }
}

function totalOf(response: Response, range: RegExpExecArray | null, start: number): number | null {
  if (range !== null && range[2] !== '*') return Number(range[2]);
  const length = response.headers.get('content-length');
  return length === null || response.headers.get('content-encoding') !== null ? null : start + Number(length);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

function checkSize({ url, maxBytes = Number.POSITIVE_INFINITY }: DownloadOptions, bytes: number): void {
  if (bytes > maxBytes) throw new DafError('ERR_DAF_BAD_DATA', `${url} has ${bytes} bytes, more than ${maxBytes}`);
}

function refusal(url: string, status: number): DafError {
  const message = `${url}: the server answers ${status}`;
  if (status === 404 || status === 410) return new DafError('ERR_DAF_NOT_FOUND', message);
  if (status === 401 || status === 403 || status === 451) {
    return new DafError('ERR_DAF_PERMISSION', message, { hint: 'fetch it with your own account and give the file instead' });
  }
  return new DafError('ERR_DAF_UNREACHABLE', message, { retryable: status === 408 || status === 429 || status >= 500 });
}

/** What fetch throws says little: "fetch failed", "terminated". */
function failureOf({ url, signal }: DownloadOptions, cause: unknown): DafError {
  if (signal?.aborted) return cancelled(url);
  if (DafError.is(cause)) return cause;
  const inner = (cause as { cause?: { message?: string } }).cause?.message ?? (cause as Error).message;
  const error = DafError.from(cause, 'ERR_DAF_UNREACHABLE');
  if (error.code !== 'ERR_DAF_UNREACHABLE') return error;
  return new DafError('ERR_DAF_UNREACHABLE', `${url}: ${inner}`, { retryable: true, cause });
}

function cancelled(url: string): DafError {
  return new DafError('ERR_DAF_CANCELLED', `${url}: interrupted`, { hint: 'the same command goes on where it was' });
}

async function wrongness(options: DownloadOptions, part: string, type: string): Promise<DafError | null> {
  const { size } = await stat(part).catch(() => ({ size: 0 }));
  const page = type.startsWith('text/html') ? 'the server sent a web page; is the address the file’s own?' : undefined;
  if (options.bytes != null && size !== options.bytes) {
    return new DafError('ERR_DAF_VERIFY', `${options.url} has ${size} bytes, expected ${options.bytes}`, { hint: page });
  }
  if (options.sha256 === null) return null;
  const found = await sha256OfFile(part);
  if (found === options.sha256.toLowerCase()) return null;
  return new DafError('ERR_DAF_VERIFY', `${options.url} has SHA-256 ${found}, expected ${options.sha256.toLowerCase()}`, {
    hint: page ?? 'it changed, or somebody changed it; nothing was kept',
  });
}

async function keep({ to }: DownloadOptions, part: string, resumed: number): Promise<Downloaded> {
  const handle = await open(part, 'r+');
  await handle.sync();
  const { size } = await handle.stat();
  await handle.close();
  const sha256 = await sha256OfFile(part);
  await rename(part, to);
  await rm(`${part}.json`, { force: true });
  return { path: to, sha256, bytes: size, resumed };
}

async function forget(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

/** SHA-256 of a file, hex, without holding it. @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_PERMISSION, ERR_DAF_IO. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) hash.update(chunk as Uint8Array);
  } catch (cause) {
    throw DafError.from(cause, 'ERR_DAF_IO');
  }
  return hash.digest('hex');
}
