import { DafError } from '../core/contracts/errors.js';

export type Quality = 'draft' | 'standard' | 'high';

/** Quality levels are step counts, never seconds. */
export interface QualityLevel {
  /** Texels a side. */
  readonly texture: number;
  /** Training steps of the field, 4096 samples each. */
  readonly steps: number;
  /** Random views of the textured head that supervise the field, and their size in pixels. */
  readonly supervisedViews: number;
  readonly supervisedSize: number;
  /** Longer side that photos are brought to for the field, pixels. */
  readonly photoSize: number;
  /** Pixels a side of preview.png. */
  readonly preview: number;
}

export const QUALITY: Readonly<Record<Quality, QualityLevel>> = Object.freeze({
  draft: { texture: 512, steps: 120, supervisedViews: 20, supervisedSize: 112, photoSize: 192, preview: 256 },
  standard: { texture: 1024, steps: 400, supervisedViews: 32, supervisedSize: 160, photoSize: 256, preview: 512 },
  high: { texture: 1024, steps: 1600, supervisedViews: 64, supervisedSize: 256, photoSize: 384, preview: 512 },
});

/** Everything the job's tasks must know, complete and frozen. */
export interface AvatarOptions {
  readonly quality: Quality;
  readonly level: QualityLevel;
  /** How many observations of a person count. */
  readonly keep: number;
  /** Folder of vision models, or single files; null where side-cars suffice. */
  readonly models: string | null;
  readonly detector: string | null;
  readonly landmarks: string | null;
  readonly seed: number;
}

const NAMES = ['quality', 'keep', 'models', 'detector', 'landmarks', 'seed'];

/**
 * The job's parameters, checked.
 * @param params `quality` draft, standard (default) or high; `keep` 1–32 (default 8); `models` a folder; `detector` and `landmarks`
 * model files; `seed` (default 1).
 * @throws DafError ERR_DAF_BAD_OPTION for unknown names and values out of range.
 */
export function avatarOptions(params: Readonly<Record<string, string>>): AvatarOptions {
  for (const name of Object.keys(params)) {
    if (!NAMES.includes(name)) {
      throw new DafError('ERR_DAF_BAD_OPTION', `unknown parameter "${name}"`, { hint: `known: ${NAMES.join(', ')}` });
    }
  }
  const quality = params['quality'] ?? 'standard';
  if (quality !== 'draft' && quality !== 'standard' && quality !== 'high') {
    throw new DafError('ERR_DAF_BAD_OPTION', `quality "${quality}"`, { hint: 'draft, standard or high' });
  }
  return Object.freeze({
    quality,
    level: QUALITY[quality],
    keep: whole('keep', params['keep'] ?? '8', 1, 32),
    models: params['models'] ?? null,
    detector: params['detector'] ?? null,
    landmarks: params['landmarks'] ?? null,
    seed: whole('seed', params['seed'] ?? '1', 0, 0xffffffff),
  });
}

function whole(name: string, value: string, low: number, high: number): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isInteger(number) || number < low || number > high) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${name} "${value}" is not a whole number from ${low} to ${high}`);
  }
  return number;
}

const MAX_NAME = 120;

/**
 * A person's folder in the output. Identities are folder names of the user and may hold anything a file system allows: letters and
 * digits of any script stay, what could confuse a shell, a URL or another file system is written as %XX, so that two identities never
 * share a folder.
 */
export function identityFolder(identity: string): string {
  const composed = identity === identity.normalize('NFC');
  let out = '';
  for (const char of identity) {
    const plain = /^[A-Za-z0-9_-]$/.test(char) || (char === '.' && out !== '') || (composed && /^[\p{L}\p{N}]$/u.test(char));
    out += plain ? char : percent(char);
  }
  if (out === '') return '%';
  const bytes = Buffer.byteLength(out);
  return bytes <= MAX_NAME ? out : `${Array.from(out).slice(0, 24).join('').replace(/%.?$/, '')}%~${fnv(identity)}`;
}

function percent(char: string): string {
  return Array.from(Buffer.from(char), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** FNV-1a, 64 bits: only tells long names apart. */
function fnv(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}
