import type { HairSource } from './hair_fill.js';
import type { Refusal } from './observation.js';

/** avatars/<folder>/report.json: what a reader must know to trust an avatar. Volatile: it also holds times. */
export interface AvatarReport {
  readonly daf: 1;
  readonly identity: string;
  /** Below `avatars/`. */
  readonly folder: string;
  /** False when no photo was usable: there are then no files beside this one. */
  readonly usable: boolean;
  readonly quality: string;
  readonly photos: readonly PhotoReport[];
  readonly refused: readonly Refusal[];
  readonly head: HeadReport | null;
  readonly texture: TextureReport | null;
  readonly field: FieldReport | null;
  /** Of a posed capture; null for photos. */
  readonly capture: CaptureReport | null;
  /** What the contact sheet is sorted by, worst first. */
  readonly likeness: LikenessReport | null;
  readonly milliseconds: Readonly<Record<string, number>>;
}

export interface PhotoReport {
  readonly photo: string;
  readonly quality: number;
  readonly source: 'model' | 'sidecar';
  /** Degrees; yaw > 0: turned to the person's own left. */
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  /** Focal length over the photo's longer side, estimated. */
  readonly focal: number;
  /** RMS distance of the fitted landmarks to those given, fraction of the outer-eye distance. */
  readonly residual: number;
  /** 1: as consistent with the person's shape as the best photo; near 0: someone else? */
  readonly trust: number;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  /** What an annotated data set says of it: attributes, split, licence. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

export interface HeadReport {
  readonly model: string;
  readonly vertices: number;
  readonly triangles: number;
  /** `assumed`: no photo says how large a head is; the mean head's size is taken. */
  readonly scale: 'assumed';
  readonly unit: 'metre';
  /** Over all photos, as in PhotoReport. */
  readonly residual: number;
  /** Morph targets, by ARKit's names, and those of the 52 that the head does not have. */
  readonly expressions: number;
  readonly expressionsLeftOut: readonly string[];
  /** Between the outer corners of the eyes, metres. */
  readonly eyes: number;
  /** Where the hair comes from: photos showed it; they showed a bald head; none showed where hair would be. */
  readonly hair: HairSource;
}

export interface TextureReport {
  readonly size: number;
  /** Share of the skin's texels that a photo saw; the rest is mirrored or diffused. */
  readonly observedFraction: number;
}

export interface FieldReport {
  readonly kind: 'hashgrid';
  readonly steps: number;
  readonly samples: number;
  /** Of the field's pictures against the mesh's at views it was not trained on, dB. */
  readonly meshPsnr: number;
  /** Overlap of both silhouettes at the same views, 0…1; mean and worst. */
  readonly silhouette: number;
  readonly silhouetteWorst: number;
}

/** capture.glb, and the field it was taken from. */
export interface CaptureReport {
  /** Folder and name of the capture's file. */
  readonly scene: string;
  /** Pictures learnt from. */
  readonly frames: number;
  readonly centimetresPerUnit: number;
  /** RMS distance of the landmarks that the poses give to the fitted head's, cm. */
  readonly residual: number;
  /** Of the last step's rays, dB. */
  readonly trainingPsnr: number;
  readonly triangles: number;
}

export interface LikenessReport {
  readonly photo: string;
  /** Exported GLB against the photo, where both show the head, dB. */
  readonly glbPsnr: number;
  readonly fieldPsnr: number;
}
