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
  REPLAYS,
  REPORT,
  type Split,
  type StageCode,
  specKey,
} from '../../core/contracts/job.js';
import type { Manifest } from '../../core/contracts/manifest.js';
import { checkSteps } from '../../core/contracts/step.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import { CoverageSum } from '../../core/coverage.js';
import { failpoint } from '../../core/failpoint.js';
import { openBlobStore } from '../stores/open-blob.js';
import type { JobCode } from './code.js';
import { type InputFile, listInputs, namedInputs } from './inputs.js';
import { type MemoryItem, storeItems } from './memory-input.js';
import type { CompiledSubmit } from './options.js';
import { InputSample } from './sample.js';
import { cutSplits, isDivisible, storeSplits } from './splits.js';
import { isSampled, type StoredInput, stepSpecs, withParams } from './step-specs.js';

// Runs that a sample of the input has: enough for parts of about equal size, few enough to be read in no time.
const LEAST_RUNS = 512;
const RUNS_PER_PART = 64;
const MAX_RUNS = 8192;

/** A job that lies complete in its output store, ready to be announced. */
export interface PreparedJob {
  readonly spec: JobSpec;
  readonly store: BlobStore;
}

/**
 * Puts code, splits and in-memory input into the output store and writes the spec, after the job has accepted its parameters. Nothing of it
 * stays when a step fails.
 */
export async function prepareJob(code: JobCode, options: CompiledSubmit): Promise<PreparedJob> {
  const { definition } = code;
  await definition.check?.(options.params);
  const store = openBlobStore(options.output);
  const id = jobId(definition.name);
  await store.checkUsable();
  await makeWay(store, options.overwrite);
  const fresh = options.output.startsWith('file:') && !existsSync(fileURLToPath(options.output));
  try {
    const stageCode: StageCode =
      code.kind === 'module'
        ? { kind: 'module', sha256: code.sha256 }
        : { kind: 'plugin', sha256: code.sha256, trusted: options.trusted };
    await store.put(codeKey(id, stageCode), code.bytes);
    const input = await storeInput(store, id, definition, options, isSampled(code));
    const spec: JobSpec = Object.freeze<JobSpec>({
      id,
      name: definition.name,
      code: stageCode,
      output: options.output,
      steps: stepSpecs(code, options, input),
      hasFinalize: definition.finalize !== undefined,
      deterministic: definition.deterministic ?? true,
      input: input.coverage,
      format: options.format ?? withParams(definition.output, options.params) ?? { kind: 'text', separator: '\t' },
      params: options.params,
      maxAttempts: options.maxAttempts,
      replicas: options.replicas,
      intermediate: options.intermediate,
      backups: definition.idempotent ?? true,
      taskTimeoutMs: options.taskTimeoutMs,
      maxSkipped: options.maxSkipped,
      priority: options.priority,
      isa: addon().cpuInfo().isa,
    });
    checkSteps(spec);
    await store.put(specKey(id), Buffer.from(JSON.stringify(spec)));
    failpoint('client.before-submit');
    return { spec, store };
  } catch (error) {
    await store.deletePrefix(jobPrefix(id)).catch(() => {});
    if (fresh) await rmdir(fileURLToPath(options.output)).catch(() => {});
    throw error;
  }
}

async function storeInput(
  store: BlobStore,
  id: string,
  definition: JobCode['definition'],
  options: CompiledSubmit,
  sampled: boolean,
): Promise<StoredInput> {
  const covered = new CoverageSum();
  const storeAll = async (format: InputFormat, all: AsyncIterable<Split> | Iterable<Split>): Promise<StoredInput> => {
    const splits = await storeSplits(store, id, counted(all, covered));
    return { splits, coverage: covered.total, format, sampleSplits: null };
  };
  if (options.input.kind === 'items') {
    const items = await storeItems(store, id, options.input.items as AsyncIterable<MemoryItem>, options);
    return storeAll({ kind: 'packed' }, items);
  }
  if (definition.plan !== undefined) {
    const records = definition.plan(await namedInputs(options.input.paths, options.cwd), options.params);
    const items = await storeItems(store, id, records, { ...options, itemsPerSplit: 1 });
    return storeAll({ kind: 'packed' }, items);
  }
  const format = withParams(definition.input, options.params) ?? { kind: 'lines' };
  const files: AsyncIterable<InputFile> = listInputs(options.input.paths, options.cwd);
  const cut = cutSplits(files, format, options);
  if (!sampled || !isDivisible(format)) return storeAll(format, cut);
  const sample = new InputSample(format, Math.min(MAX_RUNS, Math.max(LEAST_RUNS, RUNS_PER_PART * options.reducers)));
  let splits = 0;
  const all = await storeSplits(store, id, withSample());
  return { splits, coverage: covered.total, format, sampleSplits: all - splits };

  async function* withSample(): AsyncGenerator<Split> {
    for await (const split of counted(cut, covered)) {
      sample.add(split);
      splits += 1;
      yield split;
    }
    yield* sample.splits(splits);
  }
}

/** Passes splits on, adding up the bytes that their pieces cover. */
async function* counted(splits: AsyncIterable<Split> | Iterable<Split>, covered: CoverageSum): AsyncGenerator<Split> {
  for await (const split of splits) {
    for (const { name, offset, length } of split.pieces) covered.addRun(name, offset, offset + length);
    yield split;
  }
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
  await store.deletePrefix(REPLAYS);
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
