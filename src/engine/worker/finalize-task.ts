import { DafError } from '../../core/contracts/errors.js';
import { taskName } from '../../core/contracts/job.js';
import type { FinalizeContext, StageRunner } from '../../core/contracts/stage.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import type { OutputFile, TaskInput } from '../../core/contracts/task.js';
import { failpoint } from '../../core/failpoint.js';
import type { AttemptFiles } from './output/task-files.js';
import type { AttemptContext } from './task-context.js';
import type { StageResult } from './task-result.js';

/** Runs a job's finalize over everything that was committed. */
export async function runFinalize(
  input: TaskInput,
  runner: StageRunner,
  store: BlobStore,
  context: AttemptContext,
  files: AttemptFiles,
): Promise<StageResult> {
  failpoint('task.finalize');
  const commits = input.commits ?? [];
  const outputs = new Map<string, OutputFile>();
  for (const { outcome } of commits) for (const file of outcome.outputs) outputs.set(file.name, file);
  const own = {
    outputs: [...outputs.values()]
      .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
      .map(({ name, bytes, records }) => ({ name, bytes, records })),
    refusals: commits.flatMap(({ outcome }) => outcome.refused),
    usage: commits.map(({ task, usage }) => ({ task: taskName(task), usage })),
    async read(name: string): Promise<Uint8Array> {
      const file = outputs.get(name);
      if (file === undefined) throw new DafError('ERR_DAF_NOT_FOUND', `the job has no output ${JSON.stringify(name)}`);
      return store.get(file.key);
    },
  };
  // The context's methods use private state, so it stays the object they are called on.
  const finalizeContext = new Proxy(context, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name as keyof typeof own];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as unknown as FinalizeContext;
  await runner.finalize?.(finalizeContext);
  return { held: null, outputs: files.list(), recordsIn: 0, skipped: 0, intake: null, recordsOut: 0, reads: [] };
}
