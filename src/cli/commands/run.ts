import { DafError } from '../../core/contracts/errors.js';
import { type CommandResult, type CommandSpec, fail } from '../command.js';
import { addSubmitOptions, finished, follow, resolveJob, submitOptions } from '../job-options.js';
import { addLocalOptions, localOptions } from '../local-options.js';

export const run: CommandSpec = {
  usage: 'run <job>',
  summary:
    'Run a job on this machine: a shipped one (wordcount, inverted-index, grep, sort, nerf-train, nerf-render), a .ts/.js module or a plugin (.so)',
  examples: [
    "daf run wordcount --input 'books/*.txt' --output counts",
    'daf run sort --input records.dat --output sorted --param record=100 --param key=10',
    'daf run ./my-job.ts --input data --output result --workers 4 --memory 512MB',
    'daf run nerf-render --input lego.safetensors --output turntable --param frames=60 --param size=512x512',
    'daf run ./program.ts          # without --input: runs the file itself, e.g. one that submits its own job',
  ],
  options(command) {
    addSubmitOptions(command);
    addLocalOptions(command);
  },
  async run([name], options, io) {
    const job = await resolveJob(name as string);
    if (options['input'] === undefined && /\.[cm]?[jt]s$/.test(job) && !job.startsWith('file:'))
      return runProgramFile(job, options, io.json);
    const wanted = submitOptions(options);
    const { Cluster } = await import('../../engine/cluster/cluster.js');
    await using cluster = await Cluster.local(localOptions(options));
    io.signal.throwIfAborted();
    return finished(await follow(await cluster.submit(job, wanted), io), options['strict'] === true);
  },
};

async function runProgramFile(file: string, options: Record<string, unknown>, json: boolean): Promise<CommandResult> {
  if (options['output'] !== undefined) {
    throw new DafError('ERR_DAF_BAD_OPTION', 'no --input', { hint: 'without --input and --output the file itself is run' });
  }
  const { runProgram } = await import('../../engine/cluster/program.js');
  try {
    await runProgram(file);
  } catch (error) {
    // As Node ends a program whose top level throws: at once, whatever it has left open (a cluster's children end with it).
    await fail(error, json);
    process.exit(1);
  }
  return { json: {}, text: '' };
}
