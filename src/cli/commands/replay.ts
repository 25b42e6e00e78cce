import { DafError } from '../../core/contracts/errors.js';
import type { Job } from '../../engine/cluster/job-handle.js';
import type { ReplayReport } from '../../engine/worker/replay/replay.js';
import type { CommandSpec } from '../command.js';
import { addRemoteOptions, connect } from '../job-options.js';

export const replay: CommandSpec = {
  usage: 'replay <job> <attempt>',
  summary: 'Run one committed attempt again on this machine and compare its bytes with what the job committed',
  examples: [
    'daf replay counts map-3                              # by output and task',
    'daf replay counts reduce-0-g0-a1.9                   # by attempt, as report.json names it',
    'daf replay wordcount-mwpt map-3 --connect tcp://127.0.0.1:7788',
  ],
  options(command) {
    command.option('-c, --connect <endpoint>', 'a coordinator that knows <job> by its id; without it <job> is its output');
    addRemoteOptions(command);
  },
  async run([job, attempt], options, { signal }) {
    const { replayAttempt } = await import('../../engine/worker/replay/replay.js');
    const report = await replayAttempt(await outputOf(job as string, options), attempt as string, signal);
    if (report.differs !== null) throw mismatch(report);
    const others = report.ran > 1 ? `, after ${report.ran - 1} tasks that it reads` : '';
    return { json: report, text: `${report.attempt} gave the same bytes again (${report.isa}${others})` };
  },
};

async function outputOf(job: string, options: Record<string, unknown>): Promise<string> {
  if (options['connect'] === undefined) {
    const { outputUrl } = await import('../../engine/cluster/submit.js');
    return outputUrl(job, process.cwd());
  }
  const cluster = await connect(options);
  try {
    return await outputThere(await cluster.job(job));
  } finally {
    await cluster.close();
  }
}

/** @throws DafError ERR_DAF_NOT_FOUND where another job has put its results since */
async function outputThere({ id, output }: Job): Promise<string> {
  const { JobResult } = await import('../../engine/cluster/result.js');
  const holder = ((await (await JobResult.open(output)).report()) as { id?: unknown }).id;
  if (holder === id) return output;
  throw new DafError('ERR_DAF_NOT_FOUND', `${output} no longer holds the results of ${id}, but those of ${holder}`, {
    hint: 'only what lies in an output can be run again',
  });
}

function mismatch({ attempt, task, differs, differences, unsteady }: ReplayReport): DafError {
  const listed = differences.slice(0, 10).map(({ name, problem }) => `${name}: ${problem}`);
  const what = differs === task ? attempt : `${differs}, which ${attempt} reads,`;
  const hint =
    unsteady === null
      ? 'a second run here gave what the first one had: the input has changed since, or the code depends on its machine'
      : `the code is not deterministic: a second run here differs from the first in ${unsteady}`;
  return new DafError('ERR_DAF_VERIFY', `${what} did not give what was committed: ${listed.join('; ')}`, { hint });
}
