import { DafError } from '../../core/contracts/errors.js';
import { type JobSpec, MANIFEST, REPORT } from '../../core/contracts/job.js';
import type { BlobStore, StoredTask } from '../../core/contracts/stores.js';
import { failpoint } from '../../core/failpoint.js';
import { type PublishPlan, PublishPlanner } from './manifest.js';
import { keepForReplay } from './replay-bundle.js';

/** Files that get their final names at once: the store shares directory syncs between them. */
const PARALLEL = 16;

type Pages = AsyncIterable<readonly StoredTask[]>;

/**
 * Writes report.json, gives committed outputs their final names, then writes manifest.json, last. Every step may have been done before by a
 * coordinator that was killed; doing it again changes nothing.
 * @param report report.json as it shall be written, from all committed tasks
 * @param stillLeader throws when another coordinator has taken over; asked before the manifest
 * @throws DafError ERR_DAF_OUTPUT_CONFLICT when a name is taken by other bytes, or the store's own errors
 */
export async function publishJob(
  spec: JobSpec,
  tasks: Pages,
  output: BlobStore,
  report: (tasks: Pages) => AsyncIterable<Uint8Array>,
  stillLeader: () => Promise<void>,
): Promise<void> {
  const planner = new PublishPlanner(spec);
  const existing = await readIfThere(output, MANIFEST);
  if (existing !== null) {
    for await (const page of tasks) planner.add(page);
    checkSame(output, existing, planner.plan().manifest);
    return;
  }
  const { manifest, files } = await planAndReport(planner, tasks, output, report);
  let next = 0;
  const publisher = async (): Promise<void> => {
    while (next < files.length) {
      const file = files[next++]!;
      if (!(await output.publish(file.key, file.name))) {
        throw new DafError('ERR_DAF_OUTPUT_CONFLICT', `${output.url} already holds another "${file.name}"`, {
          hint: 'write to an empty directory',
        });
      }
      failpoint('coordinator.published-file');
    }
  };
  const all = await Promise.allSettled(Array.from({ length: Math.min(PARALLEL, files.length) }, publisher));
  for (const each of all) if (each.status === 'rejected') throw each.reason;
  await keepForReplay(spec, output);
  await stillLeader();
  failpoint('coordinator.before-manifest');
  if (!(await output.putIfAbsent(MANIFEST, manifest))) checkSame(output, await output.get(MANIFEST), manifest);
  failpoint('coordinator.after-manifest');
}

/** Both from one look at the tasks: to read a hundred thousand of them takes a while, in which nothing else happens. */
async function planAndReport(
  planner: PublishPlanner,
  tasks: Pages,
  output: BlobStore,
  report: (tasks: Pages) => AsyncIterable<Uint8Array>,
): Promise<PublishPlan> {
  async function* planned(): Pages {
    for await (const page of tasks) {
      planner.add(page);
      yield page;
    }
  }
  await output.put(REPORT, report(planned()));
  try {
    return planner.plan();
  } catch (error) {
    await output.delete(REPORT); // a job that is not published leaves nothing
    throw error;
  }
}

async function readIfThere(output: BlobStore, key: string): Promise<Uint8Array | null> {
  return (await output.stat(key)) === null ? null : output.get(key);
}

function checkSame(output: BlobStore, there: Uint8Array, ours: Uint8Array): void {
  if (Buffer.compare(there, ours) === 0) return; // ours, written before a restart
  throw new DafError('ERR_DAF_OUTPUT_CONFLICT', `${output.url} already holds the manifest of another job`, {
    hint: 'write to an empty directory',
  });
}
