import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { addon } from '../../core/addon/index.js';
import { DafError } from '../../core/contracts/errors.js';
import { type Downloaded, download, sha256OfFile } from '../../core/download.js';
import { temporaryFolder } from '../../core/temporary.js';
import { writeHeadFile } from '../heads/head-file.js';
import { ictHead } from '../heads/ict-head.js';
import { type IctLayout, ictFolder, readIct } from '../heads/ict-source.js';
import { EXPECTED } from './identify.js';
import { inspectModel, MAX_MODEL_BYTES } from './inspect.js';
import { ICT, KNOWN_MODELS, knownModel } from './known.js';
import { checkPackName, HEAD_ADAPTER, type ModelPack, PACK_FILE, type PinnedModel, readPack } from './registry.js';

export interface AddOptions {
  /** Folder of the registry. */
  readonly registry: string;
  /** @defaultValue the known name, or the file's or folder's */
  readonly name?: string | undefined;
  /** What a file or address must be, hex. */
  readonly sha256?: string | undefined;
  readonly licence?: string | undefined;
  /** Puts another pack of this name aside. */
  readonly replace?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of an ICT-FaceKit folder. @defaultValue that of the published model */
  readonly ictLayout?: IctLayout | undefined;
  /** Told before anything is fetched: what, from where, under which licence. */
  readonly announce?: ((line: string) => void) | undefined;
  readonly progress?: ((received: number, total: number | null) => void) | undefined;
}

export interface Added {
  readonly pack: ModelPack;
  /** The same files were there already. */
  readonly unchanged: boolean;
  /** .onnx files of a folder that no adapter fits, with the reason. */
  readonly leftOut: readonly string[];
}

/** Where a pack's files come from, before they are copied into the registry. */
interface Source {
  readonly name: string;
  readonly source: string;
  readonly licence: string | null;
  readonly files: readonly { readonly path: string; readonly name: string; readonly adapter?: typeof HEAD_ADAPTER }[];
  readonly licenceFiles: readonly string[];
  readonly leftOut: readonly string[];
  /** Removes what was fetched. */
  discard(): Promise<void>;
}

/**
 * Adds a model to the registry: a known name, an http address, an .onnx file or a folder of them. What each file is, is read from the file;
 * its SHA-256 is pinned.
 * @throws DafError ERR_DAF_NOT_FOUND (nothing of that name), ERR_DAF_BAD_MODEL (with what was expected), ERR_DAF_VERIFY (not the SHA-256
 * given), ERR_DAF_OUTPUT_EXISTS (another pack has the name), ERR_DAF_BAD_OPTION, and those of `download`.
 */
export async function addModel(what: string, options: AddOptions): Promise<Added> {
  if (options.sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(options.sha256)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `"${options.sha256}" is no SHA-256`, { hint: '64 hexadecimal digits' });
  }
  const source = await sourceOf(what, options);
  try {
    return await install(source, options);
  } finally {
    await source.discard();
  }
}

async function sourceOf(what: string, options: AddOptions): Promise<Source> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(what)) return fetchUrl(what, options);
  const info = await stat(what).catch(() => null);
  if (info === null && KNOWN_MODELS.some(({ name }) => name === what)) return fetchKnown(what, options);
  if (info === null) throw knownModelMissing(what);
  return info.isDirectory() ? fromFolder(what, options) : fromFile(what, options);
}

function knownModelMissing(what: string): DafError {
  try {
    knownModel(what);
  } catch (error) {
    return DafError.from(error);
  }
  return new DafError('ERR_DAF_INTERNAL', `${what} is known and missing`);
}

async function fetchKnown(what: string, options: AddOptions): Promise<Source> {
  const known = knownModel(what);
  const to = join(options.registry, '.downloads', known.file);
  options.announce?.(`fetching ${known.name}: ${known.bytes} bytes from ${known.url}\nlicence: ${known.licence}`);
  const { url, sha256, bytes, licence } = known;
  await fetchTo({ url, to, sha256: options.sha256 ?? sha256, bytes }, options);
  return {
    name: known.name,
    source: url,
    licence,
    files: [{ path: to, name: known.file }],
    licenceFiles: [],
    leftOut: [],
    discard: () => rm(to, { force: true }),
  };
}

async function fetchUrl(what: string, options: AddOptions): Promise<Source> {
  if (!URL.canParse(what)) throw new DafError('ERR_DAF_BAD_OPTION', `${what} is no address`);
  const url = new URL(what);
  const safe = url.protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (!safe && options.sha256 === undefined) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${what} is not encrypted, so anybody on the way could change it`, {
      hint: 'give --sha256, or an https address',
    });
  }
  const file = onnxName(decodeURIComponent(basename(url.pathname)) || 'model');
  const to = join(options.registry, '.downloads', file);
  const licence = options.licence ?? null;
  options.announce?.(`fetching ${what}\nlicence: ${licence ?? 'not stated; look at where it comes from'}`);
  if (options.sha256 === undefined) options.announce?.('no --sha256 was given: what comes is pinned as it is');
  await fetchTo({ url: what, to, sha256: options.sha256 ?? null }, options);
  return {
    name: nameOf(file),
    source: what,
    licence,
    files: [{ path: to, name: file }],
    licenceFiles: [],
    leftOut: [],
    discard: () => rm(to, { force: true }),
  };
}

function fetchTo(
  target: { url: string; to: string; sha256: string | null; bytes?: number },
  { signal, progress }: AddOptions,
): Promise<Downloaded> {
  return download({ ...target, maxBytes: MAX_MODEL_BYTES, signal, progress });
}

async function fromFile(what: string, options: AddOptions): Promise<Source> {
  const path = resolve(what);
  const found = options.sha256 === undefined ? null : await sha256OfFile(path);
  if (found !== null && found !== options.sha256!.toLowerCase()) {
    throw new DafError('ERR_DAF_VERIFY', `${what} has SHA-256 ${found}, expected ${options.sha256}`);
  }
  const name = onnxName(basename(path));
  const files = [{ path, name }];
  const licence = options.licence ?? knownLicence(await sha256OfFile(path));
  return { name: nameOf(name), source: path, licence, files, licenceFiles: [], leftOut: [], discard: async () => {} };
}

async function fromFolder(what: string, options: AddOptions): Promise<Source> {
  if (options.sha256 !== undefined) {
    throw new DafError('ERR_DAF_BAD_OPTION', '--sha256 goes with one file, and this is a folder');
  }
  const folder = resolve(what);
  const ict = await ictFolder(folder);
  if (ict !== null) return convertIct(ict, options);
  const names = (await readdir(folder)).sort();
  const files: { path: string; name: string }[] = [];
  const leftOut: string[] = [];
  for (const name of names.filter((each) => /\.onnx$/i.test(each))) {
    const path = join(folder, name);
    try {
      await inspectModel(path);
      files.push({ path, name });
    } catch (error) {
      leftOut.push(DafError.from(error).message);
    }
  }
  if (files.length === 0) {
    const seen = leftOut.length === 0 ? 'there is no .onnx file' : leftOut.slice(0, 3).join('; ');
    throw new DafError('ERR_DAF_BAD_MODEL', `${what} holds no model that DAF can use: ${seen}`, {
      hint: `expected ${EXPECTED.detector}; or ${EXPECTED.landmarks}`,
    });
  }
  const licenceFiles = names.filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).map((name) => join(folder, name));
  const stated = await Promise.all(licenceFiles.map(firstLine));
  const licence = options.licence ?? (stated.length === 0 ? null : stated.join('; '));
  return { name: basename(folder), source: folder, licence, files, licenceFiles, leftOut, discard: async () => {} };
}

/** The head model of an ICT-FaceKit checkout, converted to one file. */
async function convertIct(folder: string, options: AddOptions): Promise<Source> {
  options.announce?.(`converting ${ICT.name} from ${folder}\nlicence: ${options.licence ?? ICT.licence}`);
  const source = await readIct(folder, options.ictLayout, () => options.signal?.throwIfAborted());
  const place = temporaryFolder('head');
  const path = join(place, 'head.safetensors');
  const discard = (): Promise<void> => rm(place, { recursive: true, force: true });
  try {
    await writeHeadFile(path, ictHead(source, options.ictLayout));
    addon().headLoad(path);
  } catch (error) {
    await discard();
    throw error;
  }
  // Beside the files, or beside FaceXModel.
  const licences = [join(folder, 'LICENSE'), join(folder, '..', 'LICENSE')];
  const present = await Promise.all(licences.map((file) => stat(file).catch(() => null)));
  return {
    name: ICT.name,
    source: folder,
    licence: options.licence ?? ICT.licence,
    files: [{ path, name: basename(path), adapter: HEAD_ADAPTER }],
    licenceFiles: licences.filter((_, i) => present[i]?.isFile()).slice(0, 1),
    leftOut: [],
    discard,
  };
}

function knownLicence(sha256: string): string | null {
  return KNOWN_MODELS.find((known) => known.sha256 === sha256)?.licence ?? null;
}

async function firstLine(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const line = text
    .split('\n')
    .map((each) => each.trim())
    .find((each) => each !== '');
  return `${(line ?? 'empty').slice(0, 80)} (${basename(path)})`;
}

async function install(source: Source, options: AddOptions): Promise<Added> {
  const { registry } = options;
  const name = checkPackName(options.name ?? source.name);
  await mkdir(registry, { recursive: true });
  const staging = await mkdtemp(join(registry, '.adding-'));
  try {
    const files: PinnedModel[] = [];
    for (const file of source.files) {
      const copy = join(staging, file.name);
      await copyFile(file.path, copy);
      const { adapter } =
        file.adapter !== undefined
          ? { adapter: file.adapter }
          : await inspectModel(copy).catch((error) => {
              // Told by the name the user knows, not that of the copy.
              const { code, message, hint } = DafError.from(error);
              throw new DafError(code, message.replaceAll(copy, source.source), { hint });
            });
      const { size } = await stat(copy);
      files.push({ file: file.name, adapter, sha256: await sha256OfFile(copy), bytes: size });
    }
    for (const file of source.licenceFiles) await copyFile(file, join(staging, basename(file)));
    const pack: ModelPack = { version: 1, name, source: source.source, licence: source.licence, files };
    await writeFile(join(staging, PACK_FILE), `${JSON.stringify(pack, null, 2)}\n`);
    const unchanged = await publish(staging, pack, options);
    return { pack, unchanged, leftOut: source.leftOut };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Gives the pack its name; true where it was there already, the same. */
async function publish(staging: string, pack: ModelPack, { registry, replace = false }: AddOptions): Promise<boolean> {
  const folder = join(registry, pack.name);
  const before = await readPack(registry, pack.name).catch((error) => {
    if (replace) return null;
    throw error;
  });
  if (before !== null && JSON.stringify(before.files) === JSON.stringify(pack.files) && (await intact(folder, pack))) return true;
  if (before !== null && !replace) {
    throw new DafError('ERR_DAF_OUTPUT_EXISTS', `another model is called "${pack.name}", from ${before.source}`, {
      hint: `give --name, or --replace, or: daf models remove ${pack.name}`,
    });
  }
  await rm(folder, { recursive: true, force: true });
  await rename(staging, folder);
  return false;
}

async function intact(folder: string, pack: ModelPack): Promise<boolean> {
  for (const { file, sha256 } of pack.files) {
    if ((await sha256OfFile(join(folder, file)).catch(() => null)) !== sha256) return false;
  }
  return true;
}

function onnxName(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '');
  return /\.onnx$/i.test(clean) ? clean : `${clean || 'model'}.onnx`;
}

function nameOf(file: string): string {
  return file.replace(/\.onnx$/i, '').slice(0, 64);
}
