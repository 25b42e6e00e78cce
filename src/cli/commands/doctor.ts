import { readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DafError } from '../../core/contracts/errors.js';
import { temporaryFolder } from '../../core/temporary.js';
import type { CommandSpec } from '../command.js';

interface Check {
  readonly name: string;
  /** `missing`: something optional is not there. */
  readonly state: 'ok' | 'missing' | 'failed';
  readonly detail: string;
  readonly hint: string | null;
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Finding {
  readonly detail: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

const MARKS = { ok: '✓', missing: '–', failed: '✗' } as const;

export const doctor: CommandSpec = {
  usage: 'doctor',
  summary: 'Show what this machine offers: CPU, memory limit, addon, models, stores',
  examples: ['daf doctor', 'daf doctor --models models/ --json', 'daf doctor --state redis://db.example:6379'],
  options(command) {
    command.option('--state <place>', 'a coordinator’s state to look at, without changing it (default: $DAF_STATE)');
    command.option('--models <dir>', 'folder of ONNX models to look at (default: DAF_MODELS, then what daf models add left)');
  },
  async run(_args, options) {
    const models = options['models'] as string | undefined;
    const state = (options['state'] as string | undefined) ?? process.env['DAF_STATE'];
    const checks = [
      await check('node', false, async () => ({ detail: `${process.version} on ${process.platform}-${process.arch}` })),
      await check('cpu', false, cpu),
      await check('memory', false, memory),
      await check('addon', false, nativeAddon),
      await check('plugin host', false, pluginHost),
      await check('sharp', false, decoder),
      await check('onnxruntime', true, runtime),
      await check('models', true, () => visionModels(models)),
      await check('state store', false, () => stateStore(state)),
      await check('blob store', false, blobStore),
    ];
    const lines = checks.map(({ name, state, detail, hint }) => {
      const line = `${MARKS[state]} ${name.padEnd(12)} ${detail}`;
      return hint === null || state === 'ok' ? line : `${line}\n  ${' '.repeat(12)} hint: ${hint}`;
    });
    return { json: { checks }, text: lines.join('\n'), exitCode: checks.some(({ state }) => state === 'failed') ? 1 : 0 };
  },
};

async function check(name: string, optional: boolean, look: () => Promise<Finding>): Promise<Check> {
  try {
    const { detail, facts = {} } = await look();
    return { name, state: 'ok', detail, hint: null, facts };
  } catch (error) {
    const { code, message, hint } = DafError.from(error);
    const absent = optional && (code === 'ERR_DAF_VISION_MISSING' || code === 'ERR_DAF_MODEL_MISSING');
    return { name, state: absent ? 'missing' : 'failed', detail: `${code}: ${message}`, hint: hint ?? null, facts: { code } };
  }
}

async function cpu(): Promise<Finding> {
  const { addon } = await import('../../core/addon/index.js');
  const { isa, supported, features } = addon().cpuInfo();
  const model = cpus()[0]?.model.trim() || 'unknown CPU';
  return {
    detail: `${cpus().length} × ${model}; ${features.join(' ')}; kernels: ${isa} (here: ${supported.join(', ')})`,
    facts: { model, cores: cpus().length, isa, supported, features },
  };
}

async function memory(): Promise<Finding> {
  const { memoryLimit } = await import('../../core/cgroup.js');
  const { formatBytes } = await import('../../core/options/index.js');
  const limit = memoryLimit();
  return { detail: `${formatBytes(limit.bytes)} (${limit.source ?? 'physical; no cgroup limit'})`, facts: { ...limit } };
}

async function nativeAddon(): Promise<Finding> {
  const { addon, nativeFile } = await import('../../core/addon/index.js');
  const head = addon().headInfo(addon().headLoad(null));
  const detail = `${nativeFile('daf.node')}; head ${head.name}: ${head.positionCount} positions, ${head.identityNames.length} shape modes`;
  return { detail, facts: { file: nativeFile('daf.node'), head: head.name } };
}

async function pluginHost(): Promise<Finding> {
  const { nativeFile } = await import('../../core/addon/index.js');
  return { detail: nativeFile('daf-host') };
}

async function decoder(): Promise<Finding> {
  const { default: sharp } = await import('sharp');
  const formats = ['jpeg', 'png', 'webp', 'tiff', 'gif', 'heif'].filter((name) => name in sharp.format);
  return {
    detail: `${sharp.versions.sharp ?? 'unknown version'}, libvips ${sharp.versions.vips}; reads ${formats.join(', ')}`,
    facts: { formats },
  };
}

async function runtime(): Promise<Finding> {
  const { loadOrt } = await import('../../faces/models/ort.js');
  const ort = await loadOrt();
  return { detail: ort.env.versions.node ?? 'unknown version' };
}

async function visionModels(folder: string | undefined): Promise<Finding> {
  const { resolveModels } = await import('../../faces/models/resolve.js');
  const { detector, landmarks } = await resolveModels({ models: folder });
  if (detector === null || landmarks === null) {
    throw new DafError('ERR_DAF_MODEL_MISSING', 'none named; photos with landmarks beside them need none', {
      hint: 'daf models add yunet peppa-68, or give --models DIR, or set DAF_MODELS',
    });
  }
  const { listPacks } = await import('../../faces/models/registry.js');
  const { userFolder } = await import('../../core/user-folder.js');
  const home = userFolder();
  const added = home === null ? [] : await listPacks(join(home, 'models'));
  const names = added.length === 0 ? '' : `; added: ${added.map(({ name }) => name).join(', ')}`;
  return {
    detail: `detector ${detector.adapter} (${detector.file}), landmarks ${landmarks.adapter} (${landmarks.file})${names}`,
    facts: { detector, landmarks, added },
  };
}

/** A job state and a blob written, read and removed in a fresh temporary folder: shows that this disk takes what DAF needs. */
async function stateStore(place: string | undefined): Promise<Finding> {
  const { isRedisUrl } = await import('../../engine/stores/redis/place.js');
  if (place !== undefined && isRedisUrl(place)) return stateServer(place);
  const { openStateStore } = await import('../../engine/stores/open.js');
  return inTemporary(async (folder) => {
    const store = await openStateStore(join(folder, 'state'));
    const term = await store.beginTerm('doctor');
    await store.close();
    return { detail: `lmdb in ${tmpdir()}: first term ${term}` };
  });
}

/** Reads only: a coordinator may be working on it. */
async function stateServer(url: string): Promise<Finding> {
  const { inspectRedis } = await import('../../engine/stores/redis/inspect.js');
  const found = await inspectRedis(url);
  const { shown, facts, term, jobs, milliseconds, warnings } = found;
  const parts = [
    `${facts.server} at ${shown}`,
    `term ${term}`,
    `${jobs} jobs`,
    `answers in ${milliseconds.toFixed(1)} ms`,
    ...warnings,
  ];
  return { detail: parts.join('; '), facts: { ...found } };
}

async function blobStore(): Promise<Finding> {
  const { openBlobStore } = await import('../../engine/stores/open-blob.js');
  return inTemporary(async (folder) => {
    const store = openBlobStore(pathToFileURL(folder).href);
    await store.putIfAbsent('doctor', Buffer.from('daf'));
    const read = await readFile(join(folder, 'doctor'), 'utf8');
    if (read !== 'daf') throw new DafError('ERR_DAF_IO', 'what was read differs from what was written');
    return { detail: `directory in ${tmpdir()}: writes, syncs and links` };
  });
}

async function inTemporary(use: (folder: string) => Promise<Finding>): Promise<Finding> {
  const folder = temporaryFolder('doctor');
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
