import { DafError } from '../../core/contracts/errors.js';
import { parseWhole } from '../../core/options/index.js';
import type { ShotOptions } from './shot.js';

/** What the parameters of the nerf-render job say beside the shot: all text. */
export interface FrameOptions {
  /** Still pictures of the frames; `webp` are joined into `turntable.webp` too. */
  readonly format: 'webp' | 'png';
  /** Of the animation. */
  readonly fps: number;
  /** Map tasks of one frame: bands of its rows. */
  readonly tiles: number;
}

const DEFAULT_FPS = 24;

/** Splits a job's parameters; those of the shot are checked where it is planned. @throws DafError ERR_DAF_BAD_OPTION */
export function frameOptions(params: Readonly<Record<string, string>>): { frames: FrameOptions; shot: ShotOptions } {
  const { format = 'webp', fps, tiles, ...shot } = params;
  if (format !== 'webp' && format !== 'png') throw new DafError('ERR_DAF_BAD_OPTION', `format ${format}: expected webp or png`);
  return {
    frames: {
      format,
      fps: parseWhole('fps', fps ?? DEFAULT_FPS, 1, 240),
      tiles: parseWhole('tiles', tiles ?? 1, 1, 512),
    },
    shot,
  };
}

export const frameName = (index: number, format: string): string => `frames/${frameKey(index)}.${format}`;

/** Sorts as the frames do. */
export const frameKey = (index: number): string => String(index).padStart(6, '0');
