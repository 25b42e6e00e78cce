import { availableParallelism } from 'node:os';
import { DafError } from '../../core/contracts/errors.js';
import { INTERMEDIATES, type Intermediate, MAX_REPLICAS, type OutputFormat } from '../../core/contracts/job.js';
import { DEFAULT_WORKER_MEMORY, defaultTaskMemory } from '../../core/memory-plan.js';
import { checkKeys, parseBytes, parseChoice, parseWhole } from '../../core/options/index.js';
import type { LaunchOptions } from '../launch/launch-options.js';
import type { MemoryItem } from './memory-input.js';
import { DEFAULT_SPLIT_BYTES } from './splits.js';
import { outputUrl } from './submit.js';

/** Files to read: paths, directories and globs. */
export type PathInput = string | readonly string[];

export interface SubmitOptions {
  /**
   * Paths, directories and globs; or values in memory: `{ items }` or any iterable or async iterable of strings, bytes or { key, value },
   * streamed to the output store with bounded memory. (A plain array of strings is a list of paths.)
   */
  readonly input: PathInput | { readonly items: Iterable<MemoryItem> | AsyncIterable<MemoryItem> } | AsyncIterable<MemoryItem>;
  /** Directory or store URL. @defaultValue a temporary directory that is removed when the cluster is closed */
  readonly output?: string;
  /** Reduce tasks, 1…65536. @defaultValue the number of task threads in the cluster */
  readonly reducers?: number;
  /** What user code finds in context.params: up to 1024, with names of up to 256 and values of up to 32,768 characters. */
  readonly params?: Readonly<Record<string, string | number | boolean>>;
  /** Bytes of a split, or "32MB". @defaultValue 32 MB */
  readonly splitSize?: number | string;
  /** In-memory items of a split at most. @defaultValue no limit */
  readonly itemsPerSplit?: number;
  /** Files of a split at most. @defaultValue no limit */
  readonly filesPerSplit?: number;
  /** Replaces an earlier job's results. @defaultValue false */
  readonly overwrite?: boolean;
  /** Higher runs first, −1000…1000. @defaultValue 0 */
  readonly priority?: number;
  /** Failures of one task until the job fails, 1…100. @defaultValue 4 */
  readonly maxAttempts?: number;
  /** Workers that hold what a task leaves for others, 1…8: with more than one the loss of a worker costs no second run. @defaultValue 1 */
  readonly replicas?: number;
  /**
   * Where tasks leave what others read: `workers`: in their data directories; `blob`: in the output store, as durable as the results, so
   * that no loss of workers costs a second run. The latter writes and reads all of it through the store. @defaultValue 'workers'
   */
  readonly intermediate?: Intermediate;
  /**
   * Records that the job may go on without: those that kill their task twice are found by bisection and listed below `quarantine/`, with
   * place and cause. Needs maxAttempts ≥ 3; ≥ 4, and taskTimeoutMs, to find records that hang. @defaultValue 0
   */
  readonly maxSkipped?: number;
  /** An attempt that runs longer has failed, ms. @defaultValue no limit */
  readonly taskTimeoutMs?: number;
  /** Form of the part files. @defaultValue what the job says, else text with a tab */
  readonly format?: OutputFormat;
  /** Separator of text output; short for `format`. */
  readonly separator?: string;
  /** Plugins: run inside the worker instead of a child process. @defaultValue false */
  readonly trusted?: boolean;
  /** Where relative paths start. @defaultValue the current directory */
  readonly cwd?: string;
}

/** SubmitOptions, complete and checked. */
export interface CompiledSubmit {
  readonly input:
    | { readonly kind: 'paths'; readonly paths: readonly string[] }
    | { readonly kind: 'items'; readonly items: Iterable<MemoryItem> | AsyncIterable<MemoryItem> };
  readonly output: string;
  readonly reducers: number;
  readonly params: Readonly<Record<string, string>>;
  readonly splitBytes: number;
  readonly itemsPerSplit: number;
  readonly filesPerSplit: number;
  readonly overwrite: boolean;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly replicas: number;
  readonly intermediate: Intermediate;
  readonly taskTimeoutMs: number | null;
  readonly maxSkipped: number;
  readonly format: OutputFormat | null;
  readonly trusted: boolean;
  readonly cwd: string;
  readonly memory: { readonly sortBuffer: number; readonly task: number };
}

const SUBMIT_KEYS: readonly (keyof SubmitOptions)[] = [
  'input',
  'output',
  'reducers',
  'params',
  'splitSize',
  'itemsPerSplit',
  'filesPerSplit',
  'overwrite',
  'priority',
  'maxAttempts',
  'replicas',
  'intermediate',
  'taskTimeoutMs',
  'maxSkipped',
  'format',
  'separator',
  'trusted',
  'cwd',
];

/** What the wire takes. */
const MAX_PARAMS = 1024;
const MAX_PARAM_NAME = 256;
const MAX_PARAM = 32_768;

export interface SubmitDefaults {
  readonly threads: number;
  readonly output: () => string;
  readonly memory: CompiledSubmit['memory'];
}

export function compileSubmit(options: SubmitOptions, defaults: SubmitDefaults): CompiledSubmit {
  checkKeys('submit', options, SUBMIT_KEYS);
  const cwd = options.cwd ?? process.cwd();
  const most = Number.MAX_SAFE_INTEGER;
  return Object.freeze<CompiledSubmit>({
    input: compileInput(options.input),
    output: outputUrl(options.output ?? defaults.output(), cwd),
    reducers: parseWhole('reducers', options.reducers ?? Math.max(1, defaults.threads), 1, 65_536),
    params: compileParams(options.params ?? {}),
    splitBytes: parseBytes('splitSize', options.splitSize ?? DEFAULT_SPLIT_BYTES, 1),
    itemsPerSplit: parseWhole('itemsPerSplit', options.itemsPerSplit ?? most, 1, most),
    filesPerSplit: parseWhole('filesPerSplit', options.filesPerSplit ?? most, 1, most),
    overwrite: options.overwrite ?? false,
    priority: parseWhole('priority', options.priority ?? 0, -1000, 1000),
    maxAttempts: parseWhole('maxAttempts', options.maxAttempts ?? 4, 1, 100),
    taskTimeoutMs: options.taskTimeoutMs === undefined ? null : parseWhole('taskTimeoutMs', options.taskTimeoutMs, 1, most),
    maxSkipped: parseWhole('maxSkipped', options.maxSkipped ?? 0, 0, most),
    replicas: parseWhole('replicas', options.replicas ?? 1, 1, MAX_REPLICAS),
    intermediate: parseChoice('intermediate', options.intermediate ?? 'workers', INTERMEDIATES),
    format: options.separator === undefined ? (options.format ?? null) : { kind: 'text', separator: options.separator },
    trusted: options.trusted ?? false,
    cwd,
    memory: defaults.memory,
  });
}

/** @throws DafError ERR_DAF_BAD_OPTION for what cannot reach a worker as it is */
function compileParams(given: NonNullable<SubmitOptions['params']>): Readonly<Record<string, string>> {
  const params = Object.entries(given).map(([name, value]): [string, string] => [name, String(value)]);
  const bad = (what: string): DafError => new DafError('ERR_DAF_BAD_OPTION', what);
  if (params.length > MAX_PARAMS) throw bad(`${params.length} params; a job takes ${MAX_PARAMS}`);
  for (const [name, value] of params) {
    if (name === '__proto__') throw bad('no param can be called __proto__');
    if (name.length > MAX_PARAM_NAME) throw bad(`a param's name has ${name.length} characters; ${MAX_PARAM_NAME} are allowed`);
    if (value.length > MAX_PARAM) throw bad(`param ${name} has ${value.length} characters; ${MAX_PARAM} are allowed`);
  }
  return Object.fromEntries(params);
}

function compileInput(input: SubmitOptions['input']): CompiledSubmit['input'] {
  if (typeof input === 'string') return { kind: 'paths', paths: [input] };
  if (Array.isArray(input)) {
    if (input.length === 0) throw new DafError('ERR_DAF_NO_INPUT', 'the list of input paths is empty');
    if (input.every((each) => typeof each === 'string')) return { kind: 'paths', paths: input };
    return { kind: 'items', items: input as readonly MemoryItem[] };
  }
  if (typeof input === 'object' && input !== null) {
    if ('items' in input) return { kind: 'items', items: input.items };
    if (Symbol.asyncIterator in input || Symbol.iterator in input)
      return { kind: 'items', items: input as AsyncIterable<MemoryItem> };
  }
  throw new DafError('ERR_DAF_BAD_OPTION', 'submit needs an input', { hint: "input: 'books/*.txt', or input: { items: […] }" });
}

export interface LocalOptions {
  /** Worker processes, 1…256. @defaultValue min(cores, what memory admits) */
  readonly workers?: number;
  /** Task threads of each worker, 1…64. @defaultValue 1 */
  readonly threads?: number;
  /** Budget of each worker, its children included: bytes or "512MB". @defaultValue 512 MB, less where a cgroup allows less */
  readonly memory?: number | string;
  /** Where intermediate data, state and logs lie. @defaultValue a temporary directory, removed by close() */
  readonly dataDir?: string;
  /** How often workers report, ms. @defaultValue 500 */
  readonly heartbeatMs?: number;
  /** A worker silent for this long has lost its tasks, ms. @defaultValue 5000 */
  readonly leaseMs?: number;
  /** Added to the environment of every process; for tests. */
  readonly env?: Readonly<Record<string, string>>;
}

export function compileLocal(options: LocalOptions): LaunchOptions {
  checkKeys('Cluster.local', options, ['workers', 'threads', 'memory', 'dataDir', 'heartbeatMs', 'leaseMs', 'env']);
  return Object.freeze<LaunchOptions>({
    workers: options.workers === undefined ? null : parseWhole('workers', options.workers, 1, 256),
    cores: availableParallelism(),
    threads: parseWhole('threads', options.threads ?? 1, 1, 64),
    memory: parseBytes('memory', options.memory ?? DEFAULT_WORKER_MEMORY),
    memoryGiven: options.memory !== undefined,
    dataDir: options.dataDir ?? null,
    heartbeatMs: parseWhole('heartbeatMs', options.heartbeatMs ?? 500, 20, 60_000),
    leaseMs: parseWhole('leaseMs', options.leaseMs ?? 5000, 60, 3_600_000),
    env: options.env ?? {},
  });
}

/** Where a cluster does not say what its workers have. */
export const REMOTE_TASK_MEMORY = defaultTaskMemory(DEFAULT_WORKER_MEMORY, 1);
