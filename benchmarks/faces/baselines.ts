import { join } from 'node:path';
import { addon } from '#daf/core/addon/index.js';
import { resolveModels } from '#daf/faces/models/resolve.js';
import { findFaces, largestFace } from '#daf/faces/vision/find-faces.js';
import { layRigid, type MeanHead, openFivePoints } from './five-points.js';
import { boxSize, matching, meanError, measure, outerEyes, type SetResult } from './measure.js';
import { openEyes, readPhoto } from './measure-eyes.js';
import { aflwPhotos, degreesApart, dlibPhotos } from './truth.js';

const FRONT = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** What is had without landmarks: a rigid mean head through the pack detector's five points, and a head that always looks ahead. */
export async function baselines(data: string, packs: string): Promise<Record<string, SetResult>> {
  const eyes = await openEyes(await resolveModels({ models: packs }, {}));
  const five = await openFivePoints(join(packs, 'yunet_n_dynamic.onnx'));
  const head = meanHead();
  const dlib: number[] = [];
  for (const { photo, faces: truths } of dlibPhotos(join(data, 'dlib_training'))) {
    const pixels = await readPhoto(photo);
    const faces = await findFaces(pixels, eyes.detector, eyes.landmarker);
    for (const truth of truths) {
      const face = matching(faces, truth);
      const points = face === null ? null : await five.find(pixels, face.box);
      if (points !== null) dlib.push((100 * meanError(layRigid(head, points).points, truth)) / outerEyes(truth));
    }
  }
  const [aflw, poses, ahead]: [number[], number[], number[]] = [[], [], []];
  for (const { photo, faces, rotation } of aflwPhotos(join(data, 'aflw_8'))) {
    ahead.push(degreesApart(FRONT, rotation!));
    const pixels = await readPhoto(photo);
    const face = largestFace(await findFaces(pixels, eyes.detector, eyes.landmarker));
    const points = face === null ? null : await five.find(pixels, face.box);
    if (points === null) continue;
    const laid = layRigid(head, points);
    aflw.push((100 * meanError(laid.points, faces[0]!)) / boxSize(faces[0]!));
    poses.push(degreesApart(laid.rotation, rotation!));
  }
  await Promise.all([eyes.dispose(), five.dispose()]);
  return {
    dlib_training: { measures: { 'outer-eye NME, five points': measure('%', dlib) }, notes: [] },
    aflw_8: {
      measures: {
        'box NME, five points': measure('%', aflw),
        'pose error, five points': measure('°', poses),
        'pose error, looking ahead': measure('°', ahead),
      },
      notes: [],
    },
  };
}

function meanHead(): MeanHead {
  const head = addon().headLoad(null);
  const info = addon().headInfo(head);
  const positions = new Float32Array(3 * info.positionCount);
  addon().headShape(head, new Float32Array(0), new Float32Array(0), positions);
  return info.landmarks.map((v) => [positions[3 * v]!, positions[3 * v + 1]!, positions[3 * v + 2]!]);
}
