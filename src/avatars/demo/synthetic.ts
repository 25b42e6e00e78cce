import { addon, type CameraValues } from '../../core/addon/index.js';
import { projectPoint, rotationFromAngles } from '../camera.js';
import { type Head, shapeOf } from '../head.js';
import { generator } from '../volume.js';
import { type Complexion, type Mark, paintPerson, type Rgb } from './paint_person.js';

/** A person who does not exist: shape, skin and hair, all from one seed. */
export interface SyntheticPerson {
  /** Coefficients of the head model. */
  readonly identity: Float32Array;
  readonly texture: Uint8Array;
  readonly textureSize: number;
}

/** How a photo is taken. Angles in radians. */
export interface Shot {
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  /** Towards the light, camera space. */
  readonly light: readonly [number, number, number];
  /** Share of the light that comes from everywhere. */
  readonly ambient: number;
  readonly tint: Rgb;
  readonly expression: Float32Array;
  readonly background: readonly [Rgb, Rgb];
}

export interface SyntheticPhoto {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** [68][2] true landmarks, pixels. */
  readonly landmarks: Float32Array;
  readonly camera: CameraValues;
}

const SKINS: readonly Rgb[] = [
  [236, 200, 178],
  [222, 176, 146],
  [198, 150, 116],
  [164, 116, 84],
  [122, 82, 58],
  [92, 62, 46],
];
const HAIRS: readonly Rgb[] = [
  [38, 30, 28],
  [74, 50, 36],
  [128, 88, 52],
  [186, 150, 96],
  [146, 72, 40],
  [158, 156, 152],
];
const IRISES: readonly Rgb[] = [
  [84, 58, 40],
  [96, 120, 140],
  [92, 112, 78],
];
const BACKGROUNDS: readonly (readonly [Rgb, Rgb])[] = [
  [
    [206, 214, 222],
    [132, 146, 162],
  ],
  [
    [222, 206, 186],
    [158, 134, 110],
  ],
  [
    [176, 196, 180],
    [98, 120, 104],
  ],
  [
    [96, 98, 112],
    [48, 50, 60],
  ],
];

export const SYNTHETIC_TEXTURE = 512;

/** The `index`-th person of a seed. Skins and hairs go round, so that neighbours look different. */
export function syntheticPerson(head: Head, seed: number, index: number, mark: Mark | null = null): SyntheticPerson {
  const random = generator(seed * 7919 + index);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const identity = Float32Array.from(head.info.identityNames, () => Math.max(-2, Math.min(2, 0.9 * normal())));
  const skin = SKINS[(index * 2 + Math.floor(index / 3)) % SKINS.length]!;
  const look: Complexion = {
    skin,
    lips: [skin[0] * 0.86, skin[1] * 0.62, skin[2] * 0.64],
    hair: HAIRS[(index * 5 + 1) % HAIRS.length]!,
    iris: IRISES[index % IRISES.length]!,
    mottle: 0.3 + 0.7 * random(),
    seed: seed * 131 + index,
  };
  return { identity, texture: paintPerson(head, look, SYNTHETIC_TEXTURE, mark), textureSize: SYNTHETIC_TEXTURE };
}

/** The `photo`-th shot of a person: the first from the front, the others turned to both sides. */
export function randomShot(head: Head, seed: number, index: number, photo: number): Shot {
  const random = generator(seed * 104729 + index * 31 + photo);
  const spread = (size: number): number => size * (2 * random() - 1);
  const side = photo === 0 ? 0 : photo % 2 === 1 ? 1 : -1;
  const expression = new Float32Array(head.info.expressionNames.length);
  for (const name of ['mouthSmileLeft', 'mouthSmileRight']) {
    const at = head.info.expressionNames.indexOf(name);
    if (at >= 0) expression[at] = (photo + index) % 2 === 0 ? 0 : 0.4;
  }
  return {
    yaw: side * 0.5 + spread(0.15),
    pitch: spread(0.14),
    roll: spread(0.1),
    light: [spread(1), 0.4 + 0.4 * random(), 0.9],
    ambient: 0.45 + 0.25 * random(),
    tint: [1, 0.96 + 0.04 * random(), 0.9 + 0.14 * random()],
    expression,
    background: BACKGROUNDS[(index + photo) % BACKGROUNDS.length]!,
  };
}

/** A photo with known camera and landmarks. */
export function takePhoto(head: Head, person: SyntheticPerson, shot: Shot, width = 560, height = 700): SyntheticPhoto {
  const positions = shapeOf(head, person.identity, shot.expression);
  const camera: CameraValues = {
    rotation: rotationFromAngles(shot.yaw, shot.pitch, shot.roll),
    translation: Float32Array.of(0, 1.5, -75),
    focal: 1.5 * height,
    center: Float32Array.of(width / 2, height / 2),
    width,
    height,
  };
  const color = draw(head, positions, camera, 'texture', person);
  const normals = draw(head, positions, camera, 'normal', null);
  const [lx, ly, lz] = normalized(shot.light);
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const alpha = color[4 * i + 3]! / 255;
    const [nx, ny, nz] = [0, 1, 2].map((k) => normals[4 * i + k]! / 127.5 - 1) as [number, number, number];
    const light = shot.ambient + (1.15 - shot.ambient) * Math.max(0, nx * lx + ny * ly + nz * lz);
    const down = Math.floor(i / width) / height;
    for (let c = 0; c < 3; c++) {
      // Light multiplies linear values; sRGB's curve is near a power of 2.2.
      const lit = color[4 * i + c]! * (light * shot.tint[c]!) ** (1 / 2.2);
      const behind = shot.background[0][c]! * (1 - down) + shot.background[1][c]! * down;
      rgb[3 * i + c] = Math.min(255, Math.round(lit * alpha + behind * (1 - alpha)));
    }
  }
  const landmarks = new Float32Array(136);
  for (const [i, position] of head.info.landmarks.entries()) {
    const [x, y] = projectPoint(camera, positions, 3 * position)!;
    landmarks.set([x, y], 2 * i);
  }
  return { rgb, width, height, landmarks, camera };
}

function draw(
  head: Head,
  positions: Float32Array,
  camera: CameraValues,
  shading: 'texture' | 'normal',
  person: SyntheticPerson | null,
): Uint8Array {
  const rgba = new Uint8Array(4 * camera.width * camera.height);
  addon().renderMesh(
    { positions, source: head.source, uv: head.uv, triangles: head.triangles },
    camera,
    {
      shading,
      supersample: 3,
      cullBack: false,
      background: new Uint8Array(4),
      colours: null,
      texture: person?.texture ?? null,
      textureWidth: person?.textureSize ?? 0,
      textureHeight: person?.textureSize ?? 0,
    },
    null,
    rgba,
    null,
  );
  return rgba;
}

function normalized(v: readonly [number, number, number]): [number, number, number] {
  const length = Math.hypot(...v);
  return [v[0] / length, v[1] / length, v[2] / length];
}
