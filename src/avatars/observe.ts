import { addon } from '../core/addon/index.js';
import { DafError } from '../core/contracts/errors.js';
import { readMember } from '../faces/datasets/shards/member.js';
import type { PhotoSource, PreparedFace, Vision } from '../faces/types.js';
import { cropToPhoto, photoToCrop } from '../faces/vision/crop.js';
import { encodePng } from '../faces/vision/encode.js';
import { withPose } from '../faces/vision/quality.js';
import { bareScalp } from './bare_scalp.js';
import { CHIN, landmarkOf } from './fit_person.js';
import { hairLength, withHairLength } from './hair_length.js';
import { embeddedHead, type Head, shapeOf } from './head.js';
import type { PhotoRecord } from './input.js';
import type { Observation } from './observation.js';
import { poseOptions } from './photo.js';

/**
 * Everything that later stages need of one photo.
 * @throws DafError as Vision.prepare; ERR_DAF_BAD_LANDMARKS for landmarks that no head could have.
 */
export async function observe(photo: PhotoRecord, vision: Vision, control: Int32Array): Promise<Observation> {
  const head = embeddedHead();
  const face = await vision.prepare(await sourceOf(photo));
  const { width, height } = face.crop;
  const middle = photoToCrop(face.transform, Float32Array.of(face.photo.width / 2, face.photo.height / 2));
  const lens = {
    photoSide: Math.max(face.photo.width, face.photo.height) * face.transform.scale,
    principal: [middle[0]!, middle[1]!] as const,
  };
  const fit = fitAlone(head, face, lens, control);
  const matte = matteOf(head, face, fit, control);
  const weights = new Array<number>(68).fill(1);
  return {
    photo: photo.name,
    contentHash: face.contentHash,
    quality: withPose(face.quality, fit.yaw, fit.pitch).total,
    source: face.landmarks.source,
    width,
    height,
    ...lens,
    landmarks: [...face.landmarks.points],
    weights,
    pose: { yaw: fit.yaw, pitch: fit.pitch, roll: fit.roll, residual: fit.residual },
    capture: photo.capture && {
      ...photo.capture,
      landmarks: [...cropToPhoto(face.transform, face.landmarks.points)],
    },
    attributes: photo.attributes ?? {},
    warnings: face.warnings.map(({ code, message }) => ({ code, message })),
    image: await encodePng(face.crop, matte),
  };
}

async function sourceOf({ path, pathBytes, member, sidecar, hint, sent }: PhotoRecord): Promise<PhotoSource> {
  if (sent !== undefined) {
    if ('fault' in sent) throw new DafError(sent.fault.code, sent.fault.message, { hint: sent.fault.hint ?? undefined });
    return { bytes: sent.photo, hint, sidecar: sent.sidecar ?? undefined };
  }
  if (member === undefined) return { path: pathBytes === null ? path : Buffer.from(pathBytes, 'hex'), hint };
  const bytes = await readMember(path, member);
  if (!sidecar) return { bytes, hint };
  return { bytes, hint, sidecar: { name: sidecar.name, bytes: await readMember(path, sidecar.member) } };
}

/** Hair that hangs, or stands far off the modelled shell, shows once the shell has been brought to the part of it that was found. */
function matteOf(head: Head, face: PreparedFace, fit: ReturnType<typeof fitAlone>, control: Int32Array): Uint8Array {
  const { width, height } = face.crop;
  const { camera } = fit;
  const matte = new Uint8Array(width * height);
  const cut = (positions: Float32Array): void =>
    addon().headMatte(head.handle, positions, camera, face.crop, { refine: null }, control, matte);
  cut(fit.positions);
  const photo = { rgb: face.crop.data, matte, width, height };
  const chin = landmarkOf(head, fit.positions, CHIN);
  const bare = bareScalp(photo, camera, chin);
  const raised = (positions: Float32Array): Float32Array => {
    const hair = addon().fitHair(head.handle, positions, [{ camera, matte, weight: 1, bare }], control);
    return positions.map((value, i) => value + hair[i]!);
  };
  const short = raised(fit.positions);
  const length = hairLength(head, [{ photo, camera, positions: short, chin, bare }], control);
  cut(withHairLength(head, short, length));
  if (length > 0) cut(raised(withHairLength(head, fit.positions, length)));
  return matte;
}

/** A fit to this photo alone: good enough for its silhouette; the person's fit comes in reduce. */
function fitAlone(head: Head, face: PreparedFace, lens: Pick<Observation, 'photoSide' | 'principal'>, control: Int32Array) {
  const { width, height } = face.crop;
  try {
    const fit = addon().fitHead(
      head.handle,
      [{ landmarks: face.landmarks.points, weights: null, width, height, pose: poseOptions(lens) }],
      { identityModes: null, expressionModes: null, noise: null, expressionSpread: null, jaw: null, displacement: null },
      control,
    );
    const view = fit.views[0]!;
    return { ...view, positions: shapeOf(head, fit.identity, view.expression, fit.displacement) };
  } catch (error) {
    const cause = DafError.from(error);
    if (cause.code !== 'ERR_DAF_BAD_ARGUMENT') throw cause;
    throw new DafError('ERR_DAF_BAD_LANDMARKS', `no head has these landmarks: ${cause.message}`, { cause });
  }
}
