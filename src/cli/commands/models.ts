import { basename } from 'node:path';
import { formatBytes } from '../../core/options/index.js';
import type { CommandIo, CommandSpec } from '../command.js';

const add: CommandSpec = {
  usage: 'add <models...>',
  summary: 'Keep models: known names, addresses, .onnx files or folders of them, a checkout of ICT-FaceKit',
  examples: [
    'daf models add yunet peppa-68',
    'daf models add ~/ICT-FaceKit    # the head model, converted to one file',
    'daf models add ~/Downloads/slim_160_latest.onnx --name landmarks',
    'daf models add https://example.org/face.onnx --sha256 HEX --licence MIT',
  ],
  options(command) {
    command
      .option('--name <name>', 'what to call it')
      .option('--sha256 <hex>', 'what the file must be')
      .option('--licence <text>', 'its licence, where it does not lie beside it')
      .option('--replace', 'put another model of this name aside');
  },
  async run(args, options, io) {
    const { addModel } = await import('../../faces/models/add.js');
    const { registryFolder } = await import('../../faces/models/registry.js');
    const what = args[0] as string[];
    if (what.length > 1 && (options['name'] !== undefined || options['sha256'] !== undefined)) {
      const { DafError } = await import('../../core/contracts/errors.js');
      throw new DafError('ERR_DAF_BAD_OPTION', '--name and --sha256 go with one model');
    }
    const registry = registryFolder();
    const added = [];
    for (const each of what) {
      const result = await addModel(each, {
        registry,
        name: options['name'] as string | undefined,
        sha256: options['sha256'] as string | undefined,
        licence: options['licence'] as string | undefined,
        replace: options['replace'] === true,
        signal: io.signal,
        announce: (line) => io.log(line),
        progress: (received, total) => showProgress(io, each, received, total),
      });
      for (const left of result.leftOut) io.log(`left out: ${left}`);
      added.push(result);
    }
    const lines = added.map(({ pack, unchanged }) => {
      const kinds = pack.files.map(({ file, adapter, sha256 }) => `  ${file}: ${adapter}, SHA-256 ${sha256}`);
      return [
        `${pack.name} ${unchanged ? 'was there already' : 'added'}; licence: ${pack.licence ?? 'not stated'}`,
        ...kinds,
      ].join('\n');
    });
    return { json: { registry, added }, text: lines.join('\n') };
  },
};

function showProgress(io: CommandIo, what: string, received: number, total: number | null): void {
  const of = total === null ? '' : ` of ${formatBytes(total)}`;
  io.progress.update(total === null || total === 0 ? 0 : received / total, `${what}: ${formatBytes(received)}${of}`);
}

const list: CommandSpec = {
  usage: 'list',
  summary: 'Show the models that were added, and those that can be by name',
  examples: ['daf models list', 'daf models list --json'],
  async run() {
    const { listPacks, registryFolder } = await import('../../faces/models/registry.js');
    const { KNOWN_MODELS } = await import('../../faces/models/known.js');
    const { EMBEDDED, embeddedModels } = await import('../../faces/models/embedded.js');
    const registry = registryFolder();
    const packs = await listPacks(registry);
    const lines = packs.flatMap(({ name, licence, files }) =>
      files.map(
        ({ file, adapter, bytes }) => `${name}: ${adapter} (${file}, ${formatBytes(bytes)}); ${licence ?? 'licence not stated'}`,
      ),
    );
    const embedded = Object.values(embeddedModels()).filter((model) => model !== null);
    const others = KNOWN_MODELS.filter((known) => !packs.some(({ name }) => name === known.name));
    if (lines.length === 0) lines.push(`nothing in ${registry}`);
    lines.push(
      ...embedded.map(
        ({ file, adapter }) =>
          `${EMBEDDED}: ${adapter} (${basename(file)}); MIT, trained on rendered faces; used where no other was added`,
      ),
      ...others.map(({ name, summary, bytes, licence }) => `not added: ${name}: ${summary}, ${formatBytes(bytes)}; ${licence}`),
    );
    return { json: { registry, packs, embedded, known: KNOWN_MODELS }, text: lines.join('\n') };
  },
};

const verify: CommandSpec = {
  usage: 'verify [names...]',
  summary: 'Compare the models that were added with the SHA-256 pinned then; exit with 1 where one differs',
  examples: ['daf models verify', 'daf models verify yunet --json'],
  async run(args) {
    const { listPacks, readPack, registryFolder, verifyPack } = await import('../../faces/models/registry.js');
    const registry = registryFolder();
    const names = args[0] as string[];
    const packs = [];
    for (const name of names) {
      const pack = await readPack(registry, name);
      if (pack === null) {
        const { DafError } = await import('../../core/contracts/errors.js');
        throw new DafError('ERR_DAF_NOT_FOUND', `no model "${name}" was added`, { hint: 'daf models list' });
      }
      packs.push(pack);
    }
    if (names.length === 0) packs.push(...(await listPacks(registry)));
    const verdicts = [];
    for (const pack of packs) verdicts.push(...(await verifyPack(registry, pack)));
    const lines = verdicts.map(
      ({ name, file, state, detail }) => `${state === 'ok' ? '✓' : '✗'} ${name}/${file} ${state}: ${detail}`,
    );
    if (lines.length === 0) lines.push(`nothing in ${registry}`);
    return {
      json: { registry, verdicts },
      text: lines.join('\n'),
      exitCode: verdicts.every(({ state }) => state === 'ok') ? 0 : 1,
    };
  },
};

const remove: CommandSpec = {
  usage: 'remove <name>',
  summary: 'Remove a model that was added',
  examples: ['daf models remove yunet'],
  async run(args) {
    const { registryFolder, removePack } = await import('../../faces/models/registry.js');
    const registry = registryFolder();
    await removePack(registry, args[0] as string);
    return { json: { registry, removed: args[0] }, text: `removed ${args[0]}` };
  },
};

/** `daf models …`, in the order in which its help lists them. */
export const models: readonly CommandSpec[] = [add, list, verify, remove];
