import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { VisionModels } from '../types.js';

/** What `--models` and DAF_MODELS say to take the models that DAF carries even where others were added. */
export const EMBEDDED = 'embedded';

const FILES = { detector: 'faces-detector.onnx', landmarks: 'faces-68.onnx' } as const;

/**
 * The models that DAF carries, trained by benchmarks/training on faces that it rendered itself (native/head/data/README.md says how good they are);
 * null where the installation lacks the file.
 */
export function embeddedModels(): VisionModels {
  const [detector, landmarks] = [FILES.detector, FILES.landmarks].map((name) => {
    const file = fileURLToPath(new URL(`../../../native/head/data/${name}`, import.meta.url));
    return existsSync(file) ? file : null;
  });
  return {
    detector: detector ? { file: detector, adapter: 'yunet' } : null,
    landmarks: landmarks ? { file: landmarks, adapter: 'daf68' } : null,
  };
}
