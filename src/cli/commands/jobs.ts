import type { Command } from 'commander';
import type { CommandSpec } from '../command.js';
import { addConnectOptions, connect, finished, follow, statusLine } from '../job-options.js';

export const jobs: CommandSpec = {
  usage: 'jobs',
  summary: 'List the jobs of a coordinator',
  examples: ['daf jobs --connect tcp://127.0.0.1:7788'],
  options(command) {
    addConnectOptions(command);
    command.option('--workers', 'list its workers instead');
  },
  async run(_, options) {
    const cluster = await connect(options);
    try {
      if (options['workers'] === true) {
        const workers = await cluster.workers();
        const lines = workers.map(
          ({ worker, host, threads, running, peakBytes }) =>
            `${worker.padEnd(32)} ${host.padEnd(24)} ${threads} threads, ${running.length} running, peak ${Math.round(peakBytes / 2 ** 20)} MB`,
        );
        return { json: workers, text: lines.length === 0 ? 'no workers' : lines.join('\n') };
      }
      const list = await cluster.jobs();
      return { json: list, text: list.length === 0 ? 'no jobs' : list.map(statusLine).join('\n') };
    } finally {
      await cluster.close();
    }
  },
};

export const status: CommandSpec = {
  usage: 'status <id>',
  summary: 'Show how far a job is (--wait: until it has ended)',
  examples: ['daf status wordcount-mwpt --connect tcp://127.0.0.1:7788 --wait'],
  options(command) {
    addConnectOptions(command);
    command.option('--wait', 'wait until the job has ended');
  },
  async run([id], options, io) {
    const cluster = await connect(options);
    try {
      const job = await cluster.job(id as string);
      if (options['wait'] !== true) {
        const now = await job.status();
        return { json: now, text: statusLine(now) };
      }
      // Watching is not owning: Ctrl-C leaves the job alone.
      return finished(await follow(job, { ...io, signal: new AbortController().signal }), false);
    } finally {
      await cluster.close();
    }
  },
};

export const cancel: CommandSpec = {
  usage: 'cancel <id>',
  summary: 'Cancel a job; what it has written so far is removed',
  examples: ['daf cancel wordcount-mwpt --connect tcp://127.0.0.1:7788'],
  options(command: Command) {
    addConnectOptions(command);
  },
  async run([id], options) {
    const cluster = await connect(options);
    try {
      const job = await cluster.job(id as string);
      await job.cancel();
      for await (const event of job.progress()) if (event.kind === 'ended') break;
      const now = await job.status();
      return { json: now, text: statusLine(now), exitCode: now.phase === 'cancelled' ? 0 : 1 };
    } finally {
      await cluster.close();
    }
  },
};
