/**
 * What the rest of DAF uses of src/faces:
 *   openVision(options: VisionOptions): Promise<Vision>                                  vision/prepare.ts, memoised per thread
 *   resolveModels({ models?, detector?, landmarks? }): Promise<VisionModels>             models/resolve.ts
 *   listPhotos(inputs: readonly string[]): Promise<PhotoDataset>                         datasets/folder.ts
 *   withPose(quality, yaw, pitch): FaceQuality                                           vision/quality.ts
 *   cropToPhoto / photoToCrop(transform, points): Float32Array                           vision/crop.ts
 *   encodePng(pixels), encodePng(pixels, alpha), decodePng(bytes)                        vision/encode.ts
 */
export type * from './types.js';
