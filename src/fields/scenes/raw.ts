import type { SparsePoints } from '../formats/points.js';
import type { FieldBox } from '../types.js';
import type { Intrinsics } from './intrinsics.js';
import type { Pose } from './pose.js';
import type { Scene, SceneSplit } from './types.js';

/** A scene as its file states it, before any picture was looked at. */
export interface RawScene {
  readonly format: Scene['format'];
  readonly path: string;
  readonly frames: readonly RawFrame[];
  readonly points: SparsePoints | null;
  /** The box that the file asks for, and whether it says that nothing lies outside. */
  readonly stated: { readonly box: FieldBox; readonly closed: boolean } | null;
}

export interface RawFrame {
  readonly name: string;
  readonly pose: Pose;
  readonly intrinsics: Intrinsics;
  /** Null: by the rule for sets without splits of their own. */
  readonly split: SceneSplit | null;
  readonly picture: Picture;
}

/** Where a frame's pixels are: a file (and a mask beside it), or an array. */
export type Picture =
  | { readonly kind: 'file'; readonly file: string; readonly mask: string | null }
  | { readonly kind: 'memory'; readonly width: number; readonly height: number; readonly alpha: boolean; rgba(): Uint8Array };
