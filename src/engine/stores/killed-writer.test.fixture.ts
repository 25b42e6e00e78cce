import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Commits tasks to a store from a process that is killed in the middle of it.
 * @param module of the store, beside this file
 * @param open an expression over what it exports
 * @returns the index of the last commit that was answered
 */
export async function commitUntilKilled(module: string, open: string): Promise<number> {
  const script = `
    import * as stores from '${new URL(module, import.meta.url).href}';
    import { sampleCommit, sampleSpec } from '${new URL('./state-conformance.js', import.meta.url).href}';
    const store = await ${open};
    const term = await store.beginTerm('child');
    await store.createJob(term, sampleSpec('a'));
    for (let index = 0; ; index++) {
      await store.commitTasks(term, [{ job: 'a', commit: sampleCommit({ step: 0, stage: 'map', index }, 0, 'x') }]);
      process.stdout.write(index + '\\n');
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let answered = -1;
  for await (const line of createInterface({ input: child.stdout })) {
    answered = Math.max(answered, Number(line));
    if (answered >= 30) child.kill('SIGKILL');
  }
  return answered;
}
