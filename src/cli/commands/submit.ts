import type { CommandSpec } from '../command.js';
import { addConnectOptions, addSubmitOptions, connect, finished, follow, resolveJob, submitOptions } from '../job-options.js';

export const submit: CommandSpec = {
  usage: 'submit <job>',
  summary: 'Submit a job to a running coordinator and wait for it (--detach: do not wait)',
  examples: ["daf submit wordcount --connect tcp://127.0.0.1:7788 --input 'books/*.txt' --output counts"],
  options(command) {
    addConnectOptions(command);
    addSubmitOptions(command);
    command.option('--detach', 'print the id of the job and leave');
  },
  async run([name], options, io) {
    const job = await resolveJob(name as string);
    const wanted = submitOptions(options);
    const cluster = await connect(options);
    try {
      const handle = await cluster.submit(job, wanted);
      if (options['detach'] === true) return { json: { id: handle.id, output: handle.output }, text: handle.id };
      io.log(handle.id);
      return finished(await follow(handle, io), options['strict'] === true);
    } finally {
      await cluster.close();
    }
  },
};
