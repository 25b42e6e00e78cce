import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DafError } from '../contracts/errors.js';
import type { CoreAddon } from './core.js';
import type { HeadAddon } from './head.js';
import type { HeadFitAddon } from './head_fit.js';
import type { HeadSynthAddon } from './head_synth.js';
import type { HostAddon } from './host.js';
import type { MeshAddon } from './mesh.js';
import type { NerfCameraAddon } from './nerf_camera.js';
import type { NerfFieldAddon } from './nerf_field.js';
import type { NerfImportAddon } from './nerf_import.js';
import type { NerfMeasureAddon } from './nerf_measure.js';
import type { NerfRenderAddon } from './nerf_render.js';
import type { NerfSceneAddon } from './nerf_scene.js';
import type { NerfTrainAddon } from './nerf_train.js';
import type { ShuffleAddon } from './shuffle.js';

export type * from './core.js';
export type * from './head.js';
export type * from './head_fit.js';
export type * from './head_synth.js';
export type * from './host.js';
export type * from './mesh.js';
export type * from './nerf_camera.js';
export type * from './nerf_field.js';
export type * from './nerf_import.js';
export type * from './nerf_measure.js';
export type * from './nerf_render.js';
export type * from './nerf_scene.js';
export type * from './nerf_train.js';
export type * from './shuffle.js';

export interface Addon
  extends CoreAddon,
    HeadAddon,
    HeadFitAddon,
    HeadSynthAddon,
    HostAddon,
    MeshAddon,
    NerfCameraAddon,
    NerfFieldAddon,
    NerfImportAddon,
    NerfMeasureAddon,
    NerfRenderAddon,
    NerfSceneAddon,
    NerfTrainAddon,
    ShuffleAddon {}

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
let loaded: Addon | undefined;

/**
 * The native addon of this environment, loaded at first use.
 * @throws DafError ERR_DAF_ADDON when no binary loads; the message lists every file tried and why it failed.
 */
export function addon(): Addon {
  if (loaded === undefined) {
    loaded = createRequire(import.meta.url)(nativeFile('daf.node', loadable)) as Addon;
  }
  return loaded;
}

/**
 * Path of a binary that the build makes: `daf.node`, `daf-host`. A source tree's own build comes before the shipped one.
 * @throws DafError ERR_DAF_ADDON when it is nowhere.
 */
export function nativeFile(name: string, check: (file: string) => string | undefined = present): string {
  const tried: string[] = [];
  for (const folder of binaryFolders) {
    const file = join(folder(), name);
    const problem = check(file);
    if (problem === undefined) return file;
    tried.push(`${file}: ${problem}`);
  }
  const node = `Node ${process.version}, Node-API ${process.versions['napi']}`;
  throw new DafError('ERR_DAF_ADDON', `no usable ${name} for ${platformTag()} (${node}). Tried:\n  ${tried.join('\n  ')}`, {
    hint: 'run `npm rebuild daf` (in a clone: `npm run build:native`); it needs a C++17 compiler and CMake',
  });
}

/** Asked one after another: the platform's name takes a report of the whole process, several milliseconds. */
const binaryFolders = [() => join(packageRoot, 'build', 'Release'), () => join(packageRoot, 'prebuilds', platformTag())];

function present(file: string): string | undefined {
  return existsSync(file) ? undefined : 'no such file';
}

function loadable(file: string): string | undefined {
  if (!existsSync(file)) return 'no such file';
  try {
    createRequire(import.meta.url)(file);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** As bindings/platform.mjs computes it. */
function platformTag(): string {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const musl = process.platform === 'linux' && report?.header?.glibcVersionRuntime === undefined;
  return `${process.platform}-${process.arch}${musl ? '-musl' : ''}`;
}
