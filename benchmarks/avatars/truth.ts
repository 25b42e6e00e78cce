import { DEMO_SEED } from '#daf/avatars/demo/seed.js';
import { demoPhoto } from '#daf/avatars/demo/write_input.js';
import { embeddedHead, type Head, shapeOf } from '#daf/avatars/head.js';
import { addon, type CameraValues, type MeshArrays, type SynthesizeOptions, type SyntheticPhoto } from '#daf/core/addon/index.js';
import { exposureRatio, linear } from '#daf/testing/likeness/light.js';

/** What of a head a pixel shows. */
export const REGIONS = ['face', 'hair', 'neck', 'ears and sides', 'scalp'] as const;
export type Region = (typeof REGIONS)[number];

/** A picture of a synthetic person and all that is known of it. */
export interface Truth {
  readonly photo: SyntheticPhoto;
  /** [height][width] not 0 where clothes hide the head, or may: such pixels say nothing of an avatar. */
  readonly hidden: Uint8Array;
  /** [height][width] 1 + place in REGIONS; 0 outside. */
  readonly regions: Uint8Array;
}

/** Degrees; the truth pictures of a person. */
export const YAWS = [0, 30, -30, 60, -60] as const;

const FOCAL_MM = 50;

/** A demo person from the side wanted, without expression, under the light and before the background of one of their photos. */
export function truthAt(person: number, photo: number, degrees: number): Truth {
  return truthOf(person, photo, { yaw: (degrees * Math.PI) / 180, pitch: 0, roll: 0, focalMm: FOCAL_MM, expression: 0 });
}

export function truthOf(person: number, photo: number, change: Partial<SynthesizeOptions>): Truth {
  const shown = demoPhoto(person, photo, { seed: DEMO_SEED }, change);
  const head = embeddedHead();
  const positions = shapeOf(head, shown.identity, shown.expression);
  return { photo: shown, hidden: hiddenIn(shown, head, positions), regions: regionsOf(shown, head, positions, person) };
}

/** [68][3] cm of the neutral head. */
export function truthLandmarks(identity: Float32Array): Float32Array {
  const head = embeddedHead();
  const positions = shapeOf(head, identity);
  return Float32Array.from({ length: 204 }, (_, i) => positions[3 * head.info.landmarks[Math.floor(i / 3)]! + (i % 3)]!);
}

/** By how much longer one photo of a scene is exposed than another: the camera meters the face, so that turning it changes the exposure. */
export function exposedLonger(later: Truth, earlier: Truth): number {
  const [a, b] = [later.photo, earlier.photo];
  const { width, height } = a.camera;
  // The background's upper part, where no garment is.
  const use = (i: number): boolean => Math.floor(i / width) < height / 3 && a.mask[i] === 0 && b.mask[i] === 0;
  const ratio = exposureRatio(a.rgb, b.rgb, use, unbent);
  if (!(ratio > 0)) throw new Error('the background does not tell how long a truth picture is exposed');
  return ratio;
}

/** What a synthetic photo's film makes of linear light: it bends what is above 0.6. */
export const film = (value: number): number => (value < 0.6 ? value : 0.6 + 0.4 * (1 - Math.exp(-(value - 0.6) / 0.4)));

/** The light that a synthetic photo's byte stands for. */
function unbent(byte: number): number {
  const value = linear(byte);
  return value < 0.6 ? value : 0.6 - 0.4 * Math.log(1 - (value - 0.6) / 0.4);
}

function trianglesOf(head: Head, name: string): [number, number] {
  const { firstTriangle, triangleCount } = head.info.parts.find((part) => part.name === name)!;
  return [3 * firstTriangle, 3 * (firstTriangle + triangleCount)];
}

/** Pixels around a garment's border where it may hide an avatar's neck. */
const BORDER = 3;

/** Where clothes cover the skin, and all below: where a neck ends is no likeness. */
function hiddenIn({ mask, camera }: SyntheticPhoto, head: Head, positions: Float32Array): Uint8Array {
  const { width, height } = camera;
  const skin = new Uint8Array(width * height);
  const mesh = { positions, source: head.source, uv: null, triangles: head.triangles.slice(...trianglesOf(head, 'skin')) };
  addon().renderMeshMask(mesh, camera, null, skin);
  let lowest = 0;
  for (let i = 0; i < mask.length; ++i) if (mask[i]! >= 128) lowest = Math.floor(i / width);
  const tops = Array.from({ length: width }, (_, x) => {
    let y = 0;
    while (y <= lowest && !(skin[y * width + x]! >= 128 && mask[y * width + x]! < 128)) ++y;
    return y;
  });
  const hidden = new Uint8Array(width * height);
  for (let x = 0; x < width; ++x) {
    const top = Math.min(...tops.slice(Math.max(0, x - BORDER), x + BORDER + 1)) - BORDER;
    for (let y = Math.max(0, top); y < height; ++y) hidden[y * width + x] = 1;
  }
  return hidden;
}

const TEXTURE = 512;
const TRANSPARENT = new Uint8Array(4);

function regionsOf(photo: SyntheticPhoto, head: Head, positions: Float32Array, person: number): Uint8Array {
  const { camera, mask } = photo;
  const look = { supersample: 1, cullBack: false, background: TRANSPARENT } as const;
  const untextured = { texture: null, textureWidth: 0, textureHeight: 0 } as const;
  const mesh = { positions, source: head.source, uv: head.uv };
  const [firstHair, lastHair] = trianglesOf(head, 'hair');
  const bare = draw({ ...mesh, triangles: head.triangles.slice(0, firstHair) }, camera, {
    ...look,
    ...untextured,
    shading: 'colour',
    colours: regionColours(head),
  });
  const { looks } = addon().makePerson(head.handle, DEMO_SEED, person, false);
  const albedo = new Uint8Array(4 * TEXTURE * TEXTURE);
  addon().paintAlbedo(head.handle, looks, TEXTURE, null, albedo);
  // How dense the strands are, as a grey that is drawn opaquely.
  for (let i = 0; i < albedo.length; i += 4) albedo.fill(albedo[i + 3]!, i, i + 3).fill(255, i + 3, i + 4);
  const hair = draw({ ...mesh, triangles: head.triangles.slice(firstHair, lastHair) }, camera, {
    ...look,
    shading: 'texture',
    colours: null,
    texture: albedo,
    textureWidth: TEXTURE,
    textureHeight: TEXTURE,
  });
  const regions = new Uint8Array(mask.length);
  const hairy = looks.style !== 'bald';
  for (let i = 0; i < regions.length; ++i) {
    if (mask[i]! < 128) continue;
    const strands = hairy && hair.rgba[4 * i + 3]! >= 128 && hair.rgba[4 * i]! >= 128 && hair.depth[i]! < bare.depth[i]!;
    const region = strands || bare.rgba[4 * i + 3]! < 128 ? 'hair' : regionOf(bare.rgba.subarray(4 * i, 4 * i + 3));
    regions[i] = 1 + REGIONS.indexOf(region);
  }
  return regions;
}

type Look = Parameters<ReturnType<typeof addon>['renderMesh']>[2];

function draw(mesh: MeshArrays, camera: CameraValues, look: Look): { readonly rgba: Uint8Array; readonly depth: Float32Array } {
  const rgba = new Uint8Array(4 * camera.width * camera.height);
  const depth = new Float32Array(camera.width * camera.height);
  addon().renderMesh(mesh, camera, look, null, rgba, depth);
  return { rgba, depth };
}

/** A channel each, so that a mixture at a border is of its two neighbours; the scalp has none. */
const PAINTED: readonly Region[] = ['face', 'neck', 'ears and sides'];

/** The region of each position, as a colour. */
function regionColours(head: Head): Uint8Array {
  const mean = shapeOf(head, new Float32Array(0));
  const colours = new Uint8Array(4 * head.info.positionCount);
  for (let p = 0; p < head.info.positionCount; ++p) {
    const channel = PAINTED.indexOf(regionAt(mean[3 * p]!, mean[3 * p + 1]!, mean[3 * p + 2]!));
    if (channel >= 0) colours[4 * p + channel] = 255;
    colours[4 * p + 3] = 255;
  }
  return colours;
}

function regionOf(colour: Uint8Array): Region {
  const strongest = colour.indexOf(Math.max(...colour));
  return colour[strongest]! < 128 ? 'scalp' : PAINTED[strongest]!;
}

/** cm of the mean head. The neck begins below the line from the jaw's corner to under the chin; the face ends where it turns to the side. */
function regionAt(x: number, y: number, z: number): Region {
  if (y > 6.5) return 'scalp';
  if (y < -6.4 - 0.82 * (z + 5.3) - 0.3) return 'neck';
  return z > -3.5 && Math.abs(x) < 6.4 ? 'face' : 'ears and sides';
}
