import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { download, sha256OfFile } from '../../core/download.js';

/** One file of a data set as its user pinned it. */
export interface CollectFile {
  readonly url: string;
  /** Below the folder. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number | null;
}

export interface CollectManifest {
  readonly name: string;
  readonly licence: string | null;
  readonly files: readonly CollectFile[];
}

/**
 * A user's own list of what to fetch: `{"name", "licence"?, "files": [{"url", "path", "sha256", "bytes"?}]}`.
 * @throws DafError ERR_DAF_NOT_FOUND; ERR_DAF_BAD_DATA: a file without SHA-256, a path that leaves the folder, a path twice.
 */
export async function readCollectManifest(file: string): Promise<CollectManifest> {
  let value: { name?: unknown; licence?: unknown; files?: unknown };
  try {
    value = JSON.parse(await readFile(file, 'utf8')) as typeof value;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw DafError.from(cause, 'ERR_DAF_IO');
    throw new DafError('ERR_DAF_BAD_DATA', `${file} is not JSON: ${cause.message}`, { cause });
  }
  if (typeof value?.name !== 'string' || !Array.isArray(value.files) || value.files.length === 0) {
    throw new DafError('ERR_DAF_BAD_DATA', `${file} has no "name" or no "files"`);
  }
  const seen = new Set<string>();
  const files = (value.files as Partial<CollectFile>[]).map((each, i) => {
    const bad = (why: string): DafError => new DafError('ERR_DAF_BAD_DATA', `${file}: files[${i}] ${why}`);
    const { url, path, sha256, bytes = null } = each ?? {};
    if (typeof url !== 'string' || !/^https?:\/\//.test(url)) throw bad('has no http address as "url"');
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256))
      throw bad('has no SHA-256: what comes could not be verified');
    if (bytes !== null && !(Number.isInteger(bytes) && bytes >= 0)) throw bad('has "bytes" that are no whole number');
    const clean = typeof path === 'string' ? normalize(path) : '';
    if (clean === '' || clean === '.' || isAbsolute(clean) || clean.split('/').includes('..'))
      throw bad('has a "path" that is none below the folder');
    if (seen.has(clean)) throw bad(`has the path ${clean} of another one`);
    seen.add(clean);
    return { url, path: clean, sha256: sha256.toLowerCase(), bytes };
  });
  return { name: value.name, licence: typeof value.licence === 'string' ? value.licence : null, files };
}

export interface CollectOptions {
  readonly to: string;
  /** Files fetched at once. */
  readonly parallel: number;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((bytes: number, files: number) => void) | undefined;
  readonly retryMs?: number | undefined;
}

export interface Collected {
  readonly path: string;
  readonly state: 'there' | 'fetched' | 'failed';
  readonly bytes: number;
  readonly error: DafError | null;
}

/**
 * Fetches what is not there yet or is not what it should be. One file that fails does not stop the others; all are listed, in the manifest's
 * order.
 * @throws DafError ERR_DAF_CANCELLED; what came is gone on with next time.
 */
export async function collect(manifest: CollectManifest, options: CollectOptions): Promise<Collected[]> {
  const results = new Array<Collected>(manifest.files.length);
  const received = new Array<number>(manifest.files.length).fill(0);
  let next = 0;
  let done = 0;
  const tell = (): void =>
    options.progress?.(
      received.reduce((sum, bytes) => sum + bytes, 0),
      done,
    );
  const work = async (): Promise<void> => {
    for (let i = next++; i < manifest.files.length; i = next++) {
      const result = await collectOne(manifest.files[i]!, options, (bytes) => {
        received[i] = bytes;
        tell();
      });
      results[i] = result;
      received[i] = result.bytes;
      done += 1;
      tell();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.parallel, manifest.files.length) }, work));
  return results;
}

async function collectOne(file: CollectFile, options: CollectOptions, progress: (bytes: number) => void): Promise<Collected> {
  const to = join(options.to, file.path);
  if (options.signal?.aborted)
    throw new DafError('ERR_DAF_CANCELLED', 'interrupted', { hint: 'the same command goes on where it was' });
  const there = await stat(to).catch(() => null);
  if (there?.isFile() && (await sha256OfFile(to)) === file.sha256)
    return { path: file.path, state: 'there', bytes: there.size, error: null };
  try {
    const { url, sha256, bytes } = file;
    const { signal, retryMs } = options;
    const got = await download({ url, to, sha256, bytes, signal, retryMs, progress });
    return { path: file.path, state: 'fetched', bytes: got.bytes, error: null };
  } catch (cause) {
    const error = DafError.from(cause);
    if (error.code === 'ERR_DAF_CANCELLED') throw error;
    return { path: file.path, state: 'failed', bytes: 0, error };
  }
}
