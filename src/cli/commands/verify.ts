import { DafError } from '../../core/contracts/errors.js';
import type { CommandSpec } from '../command.js';

export const verify: CommandSpec = {
  usage: 'verify <output>',
  summary:
    'Check a job’s output: its manifest, by that lengths, record counts and checksums, and that all input was consumed once',
  examples: ['daf verify counts', 'daf verify s3://results/counts'],
  async run([output]) {
    const { verifyOutput } = await import('../../engine/cluster/verify.js');
    const report = await verifyOutput(output as string);
    const [first] = report.problems;
    if (first !== undefined) {
      const more = report.problems.slice(1).map(({ name, problem }) => `; ${name} ${problem}`);
      throw new DafError('ERR_DAF_VERIFY', `${report.output}: ${first.name} ${first.problem}${more.slice(0, 20).join('')}`, {
        hint: 'the files were changed or damaged after the job had published them; run the job again',
      });
    }
    const { job, files, records, bytes, inputBytes, inputRecords, strays } = report;
    const beside =
      strays.length === 0 ? '' : `\nnot of this job: ${strays.slice(0, 20).join(', ')}${strays.length > 20 ? ', …' : ''}`;
    return {
      json: report,
      text: `${job}: ${files} files, ${records} records, ${bytes} bytes: as the manifest says; ${inputRecords} records of input in ${inputBytes} bytes, each consumed once${beside}`,
    };
  },
};
