import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DEMO_SEED } from '../../avatars/demo/seed.js';
import { DafError } from '../../core/contracts/errors.js';
import { avatarText, runAvatars } from '../avatar-run.js';
import { type CommandSpec, wholeNumber } from '../command.js';
import { addLocalOptions, openLocal } from '../local-options.js';

export const demo: CommandSpec = {
  usage: 'demo',
  summary: 'Make photos of people who do not exist and turn them into 3D avatars: needs no file at all',
  examples: ['daf demo', 'daf demo --out /tmp/demo --people 3 --quality draft'],
  options(command) {
    command
      .option('--out <dir>', 'where input and avatars go; an earlier demo there is replaced', 'demo')
      .option('--people <n>', 'how many', wholeNumber('--people', 1, 1000), 6)
      .option('--photos <n>', 'photos of each; by default one, two or three', wholeNumber('--photos', 1, 16))
      .option('--quality <level>', 'preview, draft, standard or high', 'standard')
      .option('--seed <n>', 'other people for another number', wholeNumber('--seed', 1, 1_000_000), DEMO_SEED);
    addLocalOptions(command);
  },
  async run(_args, options, io) {
    const { writeDemoInput } = await import('../../avatars/demo/write_input.js');
    const out = resolve(String(options['out']));
    const input = join(out, 'input');
    await clearEarlierDemo(input);
    io.log(`making photos in ${input}`);
    await writeDemoInput(input, {
      people: options['people'] as number,
      photos: (options['photos'] as number | undefined) ?? null,
      seed: options['seed'] as number,
      signal: io.signal,
    });
    const summary = await runAvatars(
      {
        inputs: [input],
        out,
        params: { quality: String(options['quality']) },
        open: () => openLocal(options),
        overwrite: true,
      },
      io,
    );
    return { json: { ...summary, input }, text: avatarText(summary) };
  },
};

/** Says that a folder of photos was made here and may be replaced. */
const MARK = '.daf-demo';

/** Removes what an earlier demo made, and nothing that anybody else did. */
async function clearEarlierDemo(input: string): Promise<void> {
  const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null;
  if ((await exists(input)) && !(await exists(join(input, MARK)))) {
    throw new DafError('ERR_DAF_OUTPUT_EXISTS', `${input} exists and was not made by a demo`, { hint: 'choose another --out' });
  }
  await rm(input, { recursive: true, force: true });
  await mkdir(input, { recursive: true });
  await writeFile(join(input, MARK), '');
}
