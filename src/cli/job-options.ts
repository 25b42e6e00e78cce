import type { Command } from 'commander';
import { DafError, type WireError } from '../core/contracts/errors.js';
import type { JobStatus } from '../core/contracts/job.js';
import type { Job } from '../engine/cluster/job-handle.js';
import type { SubmitOptions } from '../engine/cluster/options.js';
import type { JobResult } from '../engine/cluster/result.js';
import { type CommandIo, type CommandResult, collectParam, wholeNumber } from './command.js';

/** Options that `run` and `submit` share. */
export function addSubmitOptions(command: Command): void {
  command
    .option('-i, --input <path...>', 'files, directories, s3://bucket/… and quoted patterns; may be repeated')
    .option('-o, --output <place>', 'where the results go: a directory or s3://bucket/prefix')
    .option('--reducers <n>', 'reduce tasks (default: one for each task thread)', wholeNumber('--reducers', 1, 65_536))
    .option('--split-size <size>', 'bytes of input for one map task (default: 32MB)')
    .option('--param <name=value>', 'for the job’s context.params; may be repeated', collectParam)
    .option('--separator <text>', 'between key and value of text output (default: a tab)')
    .option('--overwrite', 'replace the results of an earlier job')
    .option('--priority <n>', 'higher runs first (default: 0)', wholeNumber('--priority', -1000, 1000))
    .option('--max-attempts <n>', 'failures of one task until the job fails (default: 4)', wholeNumber('--max-attempts', 1, 100))
    .option('--replicas <n>', 'workers that hold what a task leaves for others (default: 1)', wholeNumber('--replicas', 1, 8))
    .option(
      '--intermediate <where>',
      'what tasks leave for others lies with workers, or in the output store: blob (default: workers)',
    )
    .option(
      '--task-timeout <ms>',
      'an attempt that runs longer has failed',
      wholeNumber('--task-timeout', 1, Number.MAX_SAFE_INTEGER),
    )
    .option(
      '--max-skipped <n>',
      'records to go on without, should they kill their task twice (default: 0)',
      wholeNumber('--max-skipped', 0, Number.MAX_SAFE_INTEGER),
    )
    .option('--trusted', 'run a plugin inside the workers instead of a child process')
    .option('--strict', 'exit with 1 when an input was refused');
}

/** Options of addConnectOptions. */
export function addConnectOptions(command: Command): void {
  command.requiredOption('-c, --connect <endpoint>', 'the coordinator, e.g. tcp://127.0.0.1:7788');
  addRemoteOptions(command);
}

/** What else it takes to reach a coordinator. */
export function addRemoteOptions(command: Command): void {
  command
    .option('--token <secret>', 'the coordinator’s secret (default: $DAF_TOKEN)')
    .option('--key <file>', 'your own secret key, to reach other machines (default: $DAF_KEY)')
    .option('--server-key <file>', 'the coordinator’s public key (default: $DAF_SERVER_KEY)')
    .option('--timeout <ms>', 'how long to wait for it (default: 10000)', wholeNumber('--timeout', 1, 3_600_000));
}

export function submitOptions(options: Record<string, unknown>): SubmitOptions {
  const input = options['input'] as string[] | undefined;
  if (input === undefined) throw new DafError('ERR_DAF_BAD_OPTION', 'no --input', { hint: "--input 'books/*.txt'" });
  if (options['output'] === undefined) throw new DafError('ERR_DAF_BAD_OPTION', 'no --output', { hint: '--output DIRECTORY' });
  const given: Record<string, unknown> = {
    input,
    output: options['output'],
    reducers: options['reducers'],
    splitSize: options['splitSize'],
    params: options['param'],
    separator: options['separator'],
    overwrite: options['overwrite'],
    priority: options['priority'],
    maxAttempts: options['maxAttempts'],
    replicas: options['replicas'],
    intermediate: options['intermediate'],
    taskTimeoutMs: options['taskTimeout'],
    maxSkipped: options['maxSkipped'],
    trusted: options['trusted'],
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as unknown as SubmitOptions;
}

export async function connect(options: Record<string, unknown>): Promise<import('../engine/cluster/cluster.js').Cluster> {
  const { Cluster } = await import('../engine/cluster/cluster.js');
  const token = options['token'] as string | undefined;
  const timeoutMs = options['timeout'] as number | undefined;
  const key = options['key'] as string | undefined;
  const serverKey = options['serverKey'] as string | undefined;
  return Cluster.connect(options['connect'] as string, {
    ...(token === undefined ? {} : { token }),
    ...(key === undefined ? {} : { key }),
    ...(serverKey === undefined ? {} : { serverKey }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

/** A shipped job's name, or the path of a module or plugin. */
export async function resolveJob(name: string): Promise<string> {
  const [{ SHIPPED_JOBS }, { FIELD_JOBS }] = await Promise.all([
    import('../engine/jobs/shipped.js'),
    import('../fields/jobs.js'),
  ]);
  const shipped: Readonly<Record<string, string>> = { ...SHIPPED_JOBS, ...FIELD_JOBS };
  const found = Object.hasOwn(shipped, name) ? shipped[name] : undefined;
  if (found !== undefined) return found;
  const { existsSync } = await import('node:fs');
  if (existsSync(name)) return name;
  const { suggest } = await import('../core/options/index.js');
  const near = suggest(name, Object.keys(shipped));
  throw new DafError('ERR_DAF_NOT_FOUND', `there is no job "${name}" and no such file`, {
    hint: near === undefined ? `shipped jobs: ${Object.keys(shipped).join(', ')}` : `did you mean "${near}"?`,
  });
}

/** Draws a job's progress until it has ended; the first Ctrl-C cancels it. */
export async function follow(job: Job, io: CommandIo): Promise<JobResult> {
  const cancel = (): void => {
    io.log('cancelling; Ctrl-C again ends at once');
    void job.cancel().catch(() => {});
  };
  if (io.signal.aborted) cancel();
  else io.signal.addEventListener('abort', cancel, { once: true });
  try {
    return await drawn(job, io);
  } finally {
    io.signal.removeEventListener('abort', cancel);
  }
}

/** Draws a job's progress until it has ended. */
export async function drawn(job: Job, io: CommandIo): Promise<JobResult> {
  let said: string | null = null;
  for await (const event of job.progress()) {
    if (event.kind === 'attempt-failed')
      io.log(`${event.attempt} failed on ${event.worker}: ${event.error.code}: ${event.error.message}`);
    else if (event.kind === 'worker-lost') io.log(`worker ${event.worker} was lost; its tasks go to others`);
    else {
      const { waiting } = event.status;
      if (waiting !== null && waiting.message !== said) io.log(`${event.status.id} waits: ${explained(waiting)}`);
      said = waiting?.message ?? null;
      io.progress.update(fraction(event.status), label(event.status));
    }
  }
  return job.result();
}

export function finished(result: JobResult, strict: boolean): CommandResult {
  const { manifest } = result;
  const parts = manifest.outputs.filter(({ records }) => records !== null);
  const records = parts.reduce((sum, part) => sum + (part.records ?? 0), 0);
  const lines = [
    `${manifest.job}: ${manifest.inputs.records} records in, ${records} out in ${parts.length} parts → ${result.output}`,
    ...manifest.refused.map(
      ({ input, code, message, refused }) => `${refused ? 'refused' : 'warning'}: ${input}: ${code}: ${message}`,
    ),
  ];
  return {
    json: { output: result.output, manifest },
    text: lines.join('\n'),
    exitCode: strict && manifest.inputs.refused > 0 ? 1 : 0,
  };
}

/** 0…1; publishing is what is left at the end. */
export function fraction({ map, reduce, finalize }: JobStatus): number {
  const total = map.total + reduce.total + finalize.total;
  return total === 0 ? 1 : (map.progress + reduce.progress + finalize.progress) / total;
}

function explained({ code, message, hint }: WireError): string {
  return `${code}: ${message}${hint === null ? '' : `\n  ${hint}`}`;
}

function label(status: JobStatus): string {
  const stages = [
    ['map', status.map],
    ['reduce', status.reduce],
    ['finalize', status.finalize],
  ] as const;
  const shown = stages.filter(([, stage]) => stage.total > 0).map(([name, stage]) => `${name} ${stage.committed}/${stage.total}`);
  const waits = status.waiting === null ? '' : ', waits for room';
  return `${status.name}: ${status.phase === 'running' ? `${shown.join(', ')}${waits}` : status.phase}`;
}

export function statusLine(status: JobStatus): string {
  const percent = String(Math.floor(fraction(status) * 100)).padStart(3);
  const error = status.error === null ? '' : `  ${status.error.code}: ${status.error.message}`;
  const waits = status.waiting === null ? '' : `  waits: ${explained(status.waiting)}`;
  return `${status.id.padEnd(48)} ${status.phase.padEnd(10)} ${percent}%  ${status.output}${error}${waits}`;
}
