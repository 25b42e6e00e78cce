import { addon } from '../../core/addon/index.js';
import { DafError } from '../../core/contracts/errors.js';
import { MANIFEST, REPORT } from '../../core/contracts/job.js';
import type { Manifest, ManifestOutput } from '../../core/contracts/manifest.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import { unpackRecords } from '../../core/packed.js';
import { openSealedJson } from '../../core/sealed-json.js';
import { openBlobStore } from '../stores/open-blob.js';

const CHUNK = 1 << 20;

/** What a job published, read through its manifest. Nothing that the manifest does not list is seen. */
export class JobResult {
  readonly manifest: Manifest;
  /** URL of the output store. */
  readonly output: string;
  readonly #store: BlobStore;

  private constructor(store: BlobStore, manifest: Manifest) {
    this.#store = store;
    this.output = store.url;
    this.manifest = manifest;
  }

  /** @throws DafError ERR_DAF_NOT_FOUND without a manifest; ERR_DAF_VERIFY for one that makes no sense, or was changed after the job had written it. */
  static async open(output: string): Promise<JobResult> {
    const store = openBlobStore(output);
    const { manifest, isIntact } = await readManifest(store);
    if (!isIntact && manifest.sha256 !== undefined) {
      throw new DafError('ERR_DAF_VERIFY', `${output}: the manifest was changed after the job had written it`, {
        hint: '`daf verify` says what else is wrong; run the job again',
      });
    }
    return new JobResult(store, manifest);
  }

  get counters(): Readonly<Record<string, number>> {
    return this.manifest.counters;
  }

  get refused(): Manifest['refused'] {
    return this.manifest.refused;
  }

  /** report.json: times, memory, attempts. */
  async report(): Promise<unknown> {
    return JSON.parse(Buffer.from(await this.#store.get(REPORT)).toString('utf8'));
  }

  /** Bytes of one output, checked. @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_VERIFY */
  async read(name: string): Promise<Uint8Array> {
    const file = this.manifest.outputs.find((each) => each.name === name);
    if (file === undefined) throw new DafError('ERR_DAF_NOT_FOUND', `the job has no output ${JSON.stringify(name)}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#chunks(file)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Lines of all text parts in their order, without the newline. A damaged part throws ERR_DAF_VERIFY at its end. */
  async *lines(): AsyncGenerator<string> {
    for (const part of this.#parts()) {
      let rest: Uint8Array = Buffer.alloc(0);
      for await (const chunk of this.#chunks(part)) {
        const data = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([rest, chunk]);
        let from = 0;
        for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, from)) {
          yield data.toString('utf8', from, at);
          from = at + 1;
        }
        rest = data.subarray(from);
      }
      if (rest.length > 0) yield Buffer.from(rest).toString('utf8');
    }
  }

  /** What the lines of JSON parts hold, in their order. */
  async *json(): AsyncGenerator<unknown> {
    for await (const line of this.lines()) yield JSON.parse(line);
  }

  /** The whole of all text parts. */
  async text(): Promise<string> {
    const parts: string[] = [];
    for (const part of this.#parts()) parts.push(Buffer.from(await this.read(part.name)).toString('utf8'));
    return parts.join('');
  }

  /** Records of all parts as [key, value] strings: text parts are cut at the first separator, packed ones decoded as UTF-8. */
  async *records(separator = '\t'): AsyncGenerator<[string, string]> {
    if (this.manifest.format.kind === 'packed') {
      for await (const { key, value } of this.packed())
        yield [Buffer.from(key).toString('utf8'), Buffer.from(value).toString('utf8')];
      return;
    }
    const cut = this.manifest.format.kind === 'text' ? this.manifest.format.separator : separator;
    for await (const line of this.lines()) {
      const at = line.indexOf(cut);
      yield at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + cut.length)];
    }
  }

  /** Records of packed parts as bytes. */
  async *packed(): AsyncGenerator<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
    for (const part of this.#parts()) yield* unpackRecords(this.#chunks(part), part.name);
  }

  #parts(): ManifestOutput[] {
    return this.manifest.outputs.filter(({ name, records }) => records !== null && /^part-[rm]-\d{5,}$/.test(name));
  }

  async *#chunks(file: ManifestOutput): AsyncGenerator<Uint8Array> {
    let crc = 0;
    let at = 0;
    for (;;) {
      const chunk = await this.#store.getRange(file.name, at, CHUNK);
      if (chunk.length === 0) break;
      crc = addon().crc32c(crc, chunk);
      at += chunk.length;
      yield chunk;
    }
    checkFile(file, at, crc);
  }
}

function checkFile(file: ManifestOutput, bytes: number, crc: number): void {
  if (file.bytes !== null && file.bytes !== bytes) {
    throw new DafError('ERR_DAF_VERIFY', `${file.name} has ${bytes} bytes, the manifest says ${file.bytes}`);
  }
  if (file.crc32c !== null && Number.parseInt(file.crc32c, 16) !== crc) {
    throw new DafError('ERR_DAF_VERIFY', `${file.name} does not have the checksum that the manifest says`);
  }
}

/**
 * The manifest of a job's output, and whether every byte of it is as the job wrote it.
 * @throws DafError ERR_DAF_NOT_FOUND without one; ERR_DAF_VERIFY for one that makes no sense
 */
export async function readManifest(store: BlobStore): Promise<{ readonly manifest: Manifest; readonly isIntact: boolean }> {
  if ((await store.stat(MANIFEST)) === null) {
    throw new DafError('ERR_DAF_NOT_FOUND', `${store.url} has no ${MANIFEST}`, {
      hint: 'only a job that has finished leaves one',
    });
  }
  const text = Buffer.from(await store.get(MANIFEST)).toString('utf8');
  let opened: ReturnType<typeof openSealedJson>;
  try {
    opened = openSealedJson(text);
  } catch (error) {
    throw new DafError('ERR_DAF_VERIFY', `${store.url}: the manifest is damaged`, { cause: error });
  }
  const manifest = opened.value as unknown as Manifest;
  if (manifest.daf !== 1 || !Array.isArray(manifest.outputs))
    throw new DafError('ERR_DAF_VERIFY', `${store.url}: not a manifest of DAF`);
  return { manifest, isIntact: opened.isIntact };
}
