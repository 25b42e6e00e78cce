import type { CommandSpec } from '../command.js';

const make: CommandSpec = {
  usage: 'new <name>',
  summary: 'Make a key pair: NAME.key, which is secret, and NAME.pub, for the lists of others',
  examples: ['daf keys new coordinator', 'daf keys new worker --dir keys'],
  options(command) {
    command.option('--dir <dir>', 'where to put them', 'keys');
  },
  async run([name], options) {
    const { writeKeyPair } = await import('../../engine/wire/keys.js');
    const files = writeKeyPair(options['dir'] as string, name as string);
    return {
      json: files,
      text: `${files.secret}  secret: keep it where it is used\n${files.shared}  for --server-key and --allow of others`,
    };
  },
};

/** `daf keys …` */
export const keys: readonly CommandSpec[] = [make];
