import { DafError } from '../../core/contracts/errors.js';
import { checkKeys, parseWhole } from '../../core/options/index.js';
import type { ControlWords, FieldBox } from '../types.js';
import type { FieldMeshOptions, MeshStage } from './types.js';

export interface FilledMeshOptions {
  readonly resolution: number;
  readonly level: number | null;
  readonly box: FieldBox;
  readonly faces: number;
  readonly keepShare: number;
  readonly smooth: number;
  readonly texture: number;
  readonly gutter: number;
  readonly solid: boolean;
  readonly guard: number;
  readonly exhaustive: boolean;
  readonly control: ControlWords | null;
  readonly onStage: (stage: MeshStage) => void;
}

/** Sparse options → complete and checked ones. @throws DafError ERR_DAF_BAD_OPTION */
export function meshOptions(options: FieldMeshOptions, box: FieldBox): FilledMeshOptions {
  const filled: FilledMeshOptions = {
    resolution: parseWhole('resolution', options.resolution ?? 256, 1, 1024),
    level: options.level == null ? null : number('level', options.level, Number.MIN_VALUE, Number.MAX_VALUE),
    box: options.box ?? box,
    faces: parseWhole('faces', options.faces ?? 100_000, 0, 2 ** 31),
    keepShare: number('keepShare', options.keepShare ?? 1, 0, 1),
    smooth: parseWhole('smooth', options.smooth ?? 0, 0, 100),
    texture: parseWhole('texture', options.texture ?? 2048, 64, 8192),
    gutter: parseWhole('gutter', options.gutter ?? 2, 1, 16),
    solid: options.solid ?? true,
    guard: number('guard', options.guard ?? 1, 0, 100),
    exhaustive: options.exhaustive ?? false,
    control: options.control ?? null,
    onStage: options.onStage ?? (() => {}),
  };
  checkKeys('meshField', options, Object.keys(filled));
  return Object.freeze(filled);
}

function number(name: string, value: number, low: number, high: number): number {
  if (!(value >= low && value <= high)) {
    const range = high === Number.MAX_VALUE ? 'a number above 0' : `a number from ${low} to ${high}`;
    throw new DafError('ERR_DAF_BAD_OPTION', `${name} ${value}: expected ${range}`);
  }
  return value;
}
