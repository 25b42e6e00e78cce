import { fileURLToPath } from 'node:url';
import type { DatasetLimits } from '../avatars/dataset_input.js';
import type { InputRecord } from '../avatars/input.js';
import { DafError } from '../core/contracts/errors.js';
import type { RefusedInput } from '../core/contracts/task.js';
import type { Cluster } from '../engine/cluster/cluster.js';
import type { Job } from '../engine/cluster/job-handle.js';
import type { JobResult } from '../engine/cluster/result.js';
import type { DatasetKind } from '../faces/datasets/dataset.js';
import type { CommandIo } from './command.js';
import { follow } from './job-options.js';

/** What `daf avatar` and `daf demo` ask for. */
export interface AvatarRun {
  readonly inputs: readonly string[];
  readonly out: string;
  readonly params: Readonly<Record<string, string>>;
  /** Begins the cluster that does it, or connects to one that runs. */
  readonly open: () => Promise<Cluster>;
  /** The cluster runs elsewhere: what this machine lacks, it may have. @defaultValue false */
  readonly elsewhere?: boolean;
  /** Photos travel with the job, for workers that do not see this machine's files. @defaultValue false */
  readonly sendPhotos?: boolean;
  /** Leave once the job is known to the coordinator. @defaultValue false */
  readonly detach?: boolean;
  readonly overwrite: boolean;
  /** What the inputs are; `auto` looks. @defaultValue folders */
  readonly dataset?: DatasetKind | 'auto';
  readonly limits?: DatasetLimits;
}

export interface AvatarSummary {
  readonly output: string;
  readonly people: number;
  readonly avatars: readonly string[];
  readonly photosUsed: number;
  readonly photosRefused: number;
  readonly refused: readonly RefusedInput[];
  readonly warnings: readonly RefusedInput[];
  readonly contactSheet: string;
  readonly index: string;
  readonly seconds: number;
  /** Largest anonymous + shared memory of any process of the cluster. */
  readonly peakBytes: number | null;
}

/** Runs the avatar job and says what came out. */
export async function runAvatars(run: AvatarRun, io: CommandIo): Promise<AvatarSummary> {
  const started = performance.now();
  const input = await inputOf(run, io);
  await using cluster = await open(run, input, io);
  const result = await follow(await submit(run, input, cluster), io);
  return { ...(await summaryOf(result, input.people)), seconds: Math.round((performance.now() - started) / 100) / 10 };
}

/** Gives the avatar job to a cluster that runs, and leaves. */
export async function submitAvatars(run: AvatarRun, io: CommandIo): Promise<{ readonly id: string; readonly output: string }> {
  const input = await inputOf(run, io);
  await using cluster = await open(run, input, io);
  const { id, output } = await submit(run, input, cluster);
  return { id, output };
}

/** What can be known to be wrong is said before a cluster starts. */
async function open(run: AvatarRun, input: RunInput, io: CommandIo): Promise<Cluster> {
  const { avatarOptions } = await import('../avatars/options.js');
  const options = avatarOptions(run.params);
  if (run.elsewhere !== true) {
    const { checkEyes } = await import('../avatars/eyes.js');
    await checkEyes(input.sample, options);
    const { EMBEDDED_HEAD, headFile } = await import('../avatars/head_choice.js');
    if (options.head !== EMBEDDED_HEAD) await headFile(options.head);
  }
  io.log(`${count(input.photos, 'photo')} of ${count(input.people, 'person', 'people')}`);
  io.signal.throwIfAborted();
  const cluster = await run.open();
  if (!io.signal.aborted) return cluster;
  await cluster.close();
  throw io.signal.reason;
}

async function submit(run: AvatarRun, input: RunInput, cluster: Cluster): Promise<Job> {
  const [{ default: avatars }, { avatarReducers, encodeInput, photosPerSplit }, { withFiles }] = await Promise.all([
    import('../avatars/job.js'),
    import('../avatars/input.js'),
    import('../avatars/sent_files.js'),
  ]);
  async function* encoded() {
    for await (const record of input.records()) {
      yield { key: '', value: encodeInput(run.sendPhotos === true ? await withFiles(record) : record) };
    }
  }
  return cluster.submit(avatars, {
    input: { items: encoded() },
    output: run.out,
    itemsPerSplit: photosPerSplit(input.count),
    reducers: avatarReducers(input.people),
    params: run.params,
    overwrite: run.overwrite,
  });
}

async function summaryOf(result: JobResult, people: number): Promise<Omit<AvatarSummary, 'seconds'>> {
  const output = result.output.startsWith('file:') ? fileURLToPath(result.output) : result.output;
  const avatars: string[] = [];
  for (const { name } of result.manifest.outputs) {
    const match = /^avatars\/([^/]+)\/avatar\.glb$/.exec(name);
    if (match !== null) avatars.push(match[1]!);
  }
  return {
    output,
    people,
    avatars,
    photosUsed: result.counters['photos.used'] ?? 0,
    photosRefused: result.counters['photos.refused'] ?? 0,
    refused: result.refused.filter(({ refused }) => refused),
    warnings: result.refused.filter(({ refused }) => !refused),
    contactSheet: `${output}/contact.png`,
    index: `${output}/index.html`,
    peakBytes: peakOf(await result.report()),
  };
}

interface RunInput {
  readonly people: number;
  readonly photos: number;
  readonly count: number;
  readonly sample: readonly InputRecord[];
  records(): AsyncIterable<InputRecord> | Iterable<InputRecord>;
}

async function inputOf(run: AvatarRun, io: CommandIo): Promise<RunInput> {
  const { detectDataset, openDataset } = await import('../faces/datasets/dataset.js');
  const { dataset = 'folders', inputs } = run;
  const [only] = inputs;
  const kind = dataset !== 'auto' ? dataset : inputs.length === 1 ? await detectDataset(only!) : 'folders';
  const limits = run.limits ?? { photos: null, people: null };
  if (kind === 'folders') {
    if (limits.photos !== null || limits.people !== null) {
      throw new DafError('ERR_DAF_BAD_OPTION', '--limit and --people go with an annotated data set', {
        hint: 'see docs/datasets.md',
      });
    }
    const { avatarInput } = await import('../avatars/input.js');
    const { records, people, photos, captures } = await avatarInput(inputs);
    if (captures > 0 && run.sendPhotos === true) {
      throw new DafError('ERR_DAF_BAD_OPTION', 'a posed capture cannot travel with its job', {
        hint: 'put its folder where the workers see it under the same path, and leave out --send-photos',
      });
    }
    return { people, photos, count: records.length, sample: records, records: () => records };
  }
  if (inputs.length !== 1) throw new DafError('ERR_DAF_BAD_OPTION', `--dataset ${kind} takes one input`);
  const { datasetInput } = await import('../avatars/dataset_input.js');
  const input = await datasetInput(await openDataset(kind, only!), limits);
  io.log(`${kind}: ${input.refused} refused before they are opened, ${input.leftOut} left out by --limit or --people`);
  const { first } = input;
  const seen = first === null || first.hint?.points68 != null;
  return { ...input, count: input.photos + input.refused, sample: seen ? [] : [first], records: () => input.records() };
}

/** Of a job's report: largest anonymous + shared memory of any process. */
export function peakOf(report: unknown): number | null {
  const peak = (report as { peakBytes?: unknown } | null)?.peakBytes;
  return typeof peak === 'number' ? peak : null;
}

const MAX_LISTED = 20;

export function avatarText(summary: AvatarSummary): string {
  const { avatars, people, refused, warnings } = summary;
  const lines = [
    `${count(avatars.length, 'avatar')} of ${count(people, 'person', 'people')} from ${count(summary.photosUsed, 'photo')} in ${summary.seconds} s` +
      (summary.peakBytes === null ? '' : `; largest process ${Math.round(summary.peakBytes / 2 ** 20)} MB`),
  ];
  lines.push(...listed('refused', refused), ...listed('warning', warnings));
  lines.push(`look at ${summary.contactSheet}`, `     or ${summary.index}`);
  if (avatars[0] !== undefined) lines.push(`  3D in ${summary.output}/avatars/${avatars[0]}/avatar.glb`);
  return lines.join('\n');
}

function listed(what: string, inputs: readonly RefusedInput[]): string[] {
  const lines = inputs
    .slice(0, MAX_LISTED)
    .map(({ input, code, message }) => `  ${what} ${JSON.stringify(input)}: ${code}: ${message}`);
  if (inputs.length > MAX_LISTED) lines.push(`  … and ${inputs.length - MAX_LISTED} more, see manifest.json`);
  return lines;
}

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
