import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { sharedData } from '../../testing/engine-fixture.js';
import { resolveModels } from '../models/resolve.js';
import { openVision } from './prepare.js';

const shared = sharedData();

tap.test(
  "a data set's box picks its face on photos of several people",
  { skip: shared === null && 'no shared data' },
  async (t) => {
    const folder = join(shared!, 'faces', 'dlib_training');
    const vision = await openVision({ models: await resolveModels({ models: join(shared!, 'models') }, {}) });
    const xml = readFileSync(join(folder, 'training_with_face_landmarks.xml'), 'utf8');
    let faces = 0;
    for (const image of xml.split('<image ').slice(1)) {
      const path = join(folder, /file='([^']+)'/.exec(image)![1]!);
      for (const match of image.matchAll(/<box top='(-?\d+)' left='(-?\d+)' width='(\d+)' height='(\d+)'>/g)) {
        const [y, x, width, height] = match.slice(1).map(Number) as [number, number, number, number];
        const hint = { size: null, points68: null, points5: null, box: { x, y, width, height } };
        const { box, warnings } = await vision.prepare({ path, sidecar: null, hint });
        const away = Math.hypot(box.x + box.width / 2 - x - width / 2, box.y + box.height / 2 - y - height / 2);
        t.ok(away < width / 2, `${match[0]} in ${path}`);
        t.same(warnings, [], 'others beside it are no surprise');
        faces += 1;
      }
    }
    t.equal(faces, 18);
  },
);
