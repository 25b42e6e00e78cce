import { addon } from '../../core/addon/index.js';
import { JOBS, MANIFEST, type OutputFormat, REPLAYS } from '../../core/contracts/job.js';
import type { Manifest, ManifestInputs, ManifestOutput } from '../../core/contracts/manifest.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import { unpackRecords } from '../../core/packed.js';
import { openBlobStore } from '../stores/open-blob.js';
import { readManifest } from './result.js';
import { outputUrl } from './submit.js';

const CHUNK = 1 << 20;
const NEWLINE = 10;

export interface VerifyProblem {
  readonly name: string;
  readonly problem: string;
}

export interface VerifyReport {
  readonly output: string;
  readonly job: string;
  readonly files: number;
  readonly bytes: number;
  readonly records: number;
  /** Consumed, each exactly once. */
  readonly inputBytes: number;
  readonly inputRecords: number;
  /** Of those records, how many killed their tasks and lie in quarantine. */
  readonly skipped: number;
  readonly problems: readonly VerifyProblem[];
  /** Files that lie beside the job's and are none of its: whoever reads by the manifest does not see them. At most {@link MOST_STRAYS}. */
  readonly strays: readonly string[];
}

export const MOST_STRAYS = 100;
/** What a reader who does not ask the manifest takes for results. */
const PART = /^part-[rm]-\d/;

/**
 * Compares what a job published with its manifest: every file's length and checksum, and the records of the parts, counted anew; sees
 * from the manifest whether it was changed since, and whether every byte of the input was consumed exactly once; and lists what else lies there.
 * @throws DafError ERR_DAF_NOT_FOUND without a manifest, ERR_DAF_VERIFY for one that cannot be read
 */
export async function verifyOutput(output: string, cwd = process.cwd()): Promise<VerifyReport> {
  const url = outputUrl(output, cwd);
  const store = openBlobStore(url);
  const { manifest, isIntact } = await readManifest(store);
  const problems: VerifyProblem[] = [];
  if (manifest.sha256 === undefined) problems.push({ name: MANIFEST, problem: 'has no checksum of its own' });
  else if (!isIntact) problems.push({ name: MANIFEST, problem: 'was changed after the job had written it' });
  let bytes = 0;
  let records = 0;
  for (const file of manifest.outputs) {
    const info = await store.stat(file.name);
    if (info === null) {
      problems.push({ name: file.name, problem: 'is missing' });
      continue;
    }
    if (file.bytes === null) continue; // volatile: listed, not checked
    const seen = await readThrough(store.url, file, manifest.format.kind);
    bytes += seen.bytes;
    records += file.records === null ? 0 : (seen.records ?? file.records);
    const crc = seen.crc.toString(16).padStart(8, '0');
    if (seen.bytes !== file.bytes)
      problems.push({ name: file.name, problem: `has ${seen.bytes} bytes instead of ${file.bytes}` });
    else if (crc !== file.crc32c) problems.push({ name: file.name, problem: `has checksum ${crc} instead of ${file.crc32c}` });
    else if (seen.records !== null && file.records !== null && seen.records !== file.records) {
      problems.push({ name: file.name, problem: `holds ${seen.records} records instead of ${file.records}` });
    }
  }
  problems.push(...inputProblems(manifest.inputs));
  const strays = await findStrays(store, manifest);
  for (const name of strays) if (PART.test(name)) problems.push({ name, problem: 'is no output of this job' });
  return {
    output: `${url.replace(/\/$/, '')}/${MANIFEST}`,
    job: manifest.job,
    files: manifest.outputs.length,
    bytes,
    records,
    inputBytes: manifest.inputs.read.bytes,
    inputRecords: manifest.inputs.records,
    skipped: manifest.inputs.skipped,
    problems,
    strays,
  };
}

/** What lies in the output and is neither named by the manifest nor kept for a replay. */
async function findStrays(store: BlobStore, { outputs }: Manifest): Promise<string[]> {
  const known = new Set(outputs.map(({ name }) => name)).add(MANIFEST);
  const strays: string[] = [];
  for await (const { key } of store.list('')) {
    if (known.has(key) || key.startsWith(JOBS) || key.startsWith(REPLAYS)) continue;
    if (strays.push(key) === MOST_STRAYS) break;
  }
  return strays;
}

/** What speaks against every byte of the input having been consumed exactly once. */
function inputProblems({ given, read, records, mapped, skipped }: ManifestInputs): VerifyProblem[] {
  const problems: VerifyProblem[] = [];
  const says = (problem: string): number => problems.push({ name: 'the input', problem });
  if (read.bytes !== given.bytes) says(`had ${given.bytes} bytes, of which ${read.bytes} were read`);
  else if (read.seams !== given.seams) says('was read with gaps and overlaps');
  if (records !== mapped + skipped) says(`had ${records} records, of which ${mapped} were mapped and ${skipped} skipped`);
  return problems;
}

/** `records` is null where the bytes alone do not say how many there are: values may hold newlines, raw parts have no borders. */
async function readThrough(
  url: string,
  file: ManifestOutput,
  format: OutputFormat['kind'],
): Promise<{ bytes: number; crc: number; records: number | null }> {
  const store = openBlobStore(url);
  let crc = 0;
  let bytes = 0;
  let newlines = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = await store.getRange(file.name, bytes, CHUNK);
      if (chunk.length === 0) return;
      crc = addon().crc32c(crc, chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  if (file.records !== null && format === 'packed') {
    let records = 0;
    try {
      for await (const _ of unpackRecords(chunks(), file.name)) records++;
    } catch {
      records = -1; // lengths or checksum say what is wrong
    }
    return { bytes, crc, records };
  }
  for await (const chunk of chunks()) {
    if (file.records !== null && (format === 'text' || format === 'json'))
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) newlines++;
  }
  if (file.records !== null && format === 'json') return { bytes, crc, records: newlines };
  // Fewer newlines than records is impossible; more of them may be the values' own.
  const records = format === 'text' && file.records !== null && newlines < file.records ? newlines : null;
  return { bytes, crc, records };
}
