import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { addon } from '../../core/addon/index.js';
import { DafError } from '../../core/contracts/errors.js';
import {
  codeKey,
  type InputFormat,
  type JobSpec,
  jobPrefix,
  MANIFEST,
  REPORT,
  type StageCode,
  specKey,
  type TaskMemory,
} from '../../core/contracts/job.js';
import type { Manifest } from '../../core/contracts/manifest.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import { failpoint } from '../../core/failpoint.js';
import { openBlobStore } from '../stores/open-blob.js';
import type { JobCode } from './code.js';
import { type InputFile, listInputs, namedInputs } from './inputs.js';
import { type MemoryItem, storeItems } from './memory-input.js';
import type { CompiledSubmit } from './options.js';
import { cutSplits, storeSplits } from './splits.js';

/** A job that lies complete in its output store, ready to be announced. */
export interface PreparedJob {
  readonly spec: JobSpec;
  readonly store: BlobStore;
}

/** Puts code, splits and in-memory input into the output store and writes the spec. Nothing of it stays when a step fails. */
export async function prepareJob(code: JobCode, options: CompiledSubmit): Promise<PreparedJob> {
  const { definition } = code;
  const store = openBlobStore(options.output);
  const id = jobId(definition.name);
  await makeWay(store, options.overwrite);
  const fresh = options.output.startsWith('file:') && !existsSync(fileURLToPath(options.output));
  try {
    const stageCode: StageCode =
      code.kind === 'module'
        ? { kind: 'module', sha256: code.sha256 }
        : { kind: 'plugin', sha256: code.sha256, trusted: options.trusted };
    await store.put(codeKey(id, stageCode), code.bytes);
    const { splits, format } = await storeInput(store, id, definition, options);
    const spec: JobSpec = Object.freeze<JobSpec>({
      id,
      name: definition.name,
      code: stageCode,
      output: options.output,
      input: format,
      splits,
      reducers: definition.reduce === undefined ? 0 : options.reducers,
      hasCombine: definition.combine !== undefined,
      hasFinalize: definition.finalize !== undefined,
      deterministic: definition.deterministic ?? true,
      format: options.format ?? definition.output ?? { kind: 'text', separator: '\t' },
      params: options.params,
      maxAttempts: options.maxAttempts,
      priority: options.priority,
      memory: taskMemory(definition, options),
      isa: addon().cpuInfo().isa,
    });
    await store.put(specKey(id), Buffer.from(JSON.stringify(spec)));
    failpoint('client.before-submit');
    return { spec, store };
  } catch (error) {
    await store.deletePrefix(jobPrefix(id)).catch(() => {});
    if (fresh) await rmdir(fileURLToPath(options.output)).catch(() => {});
    throw error;
  }
}

/** What a task of the job reserves: what the job says, else what suits the cluster. */
export function taskMemory(definition: JobCode['definition'], options: CompiledSubmit): TaskMemory {
  return {
    sortBuffer: definition.memory?.sortBuffer ?? options.memory.sortBuffer,
    task: definition.memory?.task ?? options.memory.task,
  };
}

async function storeInput(
  store: BlobStore,
  id: string,
  definition: JobCode['definition'],
  options: CompiledSubmit,
): Promise<{ splits: number; format: InputFormat }> {
  if (options.input.kind === 'items') {
    const splits = await storeItems(store, id, options.input.items as AsyncIterable<MemoryItem>, options);
    return { splits: await storeSplits(store, id, splits), format: { kind: 'packed' } };
  }
  if (definition.plan !== undefined) {
    const records = definition.plan(await namedInputs(options.input.paths, options.cwd), options.params);
    const splits = await storeItems(store, id, records, { ...options, itemsPerSplit: 1 });
    return { splits: await storeSplits(store, id, splits), format: { kind: 'packed' } };
  }
  const format = definition.input ?? { kind: 'lines' };
  const files: AsyncIterable<InputFile> = listInputs(options.input.paths, options.cwd);
  return { splits: await storeSplits(store, id, cutSplits(files, format, options)), format };
}

/** [a-z0-9-], sorts by time. */
function jobId(name: string): string {
  const readable = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 32);
  return `${readable}-${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
}

/** Readers trust a manifest, so an output that has one is not written into; with `overwrite` what it lists goes first, itself before all. */
async function makeWay(store: BlobStore, overwrite: boolean): Promise<void> {
  if ((await store.stat(MANIFEST)) === null) return;
  if (!overwrite) {
    throw new DafError('ERR_DAF_OUTPUT_EXISTS', `${store.url} already holds the results of a job`, {
      hint: 'choose another output, or give --overwrite (SDK: overwrite: true)',
    });
  }
  let old: Partial<Manifest> = {};
  try {
    old = JSON.parse(Buffer.from(await store.get(MANIFEST)).toString('utf8')) as Partial<Manifest>;
  } catch {
    // A damaged manifest lists nothing.
  }
  await store.delete(MANIFEST);
  for (const { name } of [...(old.outputs ?? []), { name: REPORT }]) {
    await store.delete(name).catch((error: unknown) => {
      if (!DafError.is(error) || error.code !== 'ERR_DAF_NOT_FOUND') throw error;
    });
  }
}

/** A directory or a store URL → store URL. */
export function outputUrl(output: string, cwd: string): string {
  if (/^[a-z][a-z0-9+]+:\/\//i.test(output)) return output;
  return pathToFileURL(resolve(cwd, output)).href;
}
