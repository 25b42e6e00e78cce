import type { TaskContext } from '../core/contracts/stage.js';
import { orbitCamera, shrunkCamera } from './camera.js';
import { withoutClothes } from './clothes.js';
import { psnr } from './compare.js';
import { summary } from './contact/html.js';
import { CELL } from './contact/layout.js';
import { contactRow } from './contact/row.js';
import { ARKIT_NAMES } from './export/arkit.js';
import { avatarMesh } from './export/mesh.js';
import { shrinkPhoto } from './field_photo.js';
import { meshFiles, rgbaPng } from './files.js';
import { CHIN, type FittedPerson, fitPerson, landmarkOf, texturePerson } from './fit_person.js';
import type { HairSource } from './hair_fill.js';
import type { Head } from './head.js';
import { chosenHead } from './head_choice.js';
import type { Refusal } from './observation.js';
import type { AvatarOptions } from './options.js';
import { personVolume } from './person_volume.js';
import { type OpenPhoto, openPhoto } from './photo.js';
import type { AvatarReport, LikenessReport, PhotoReport } from './report.js';
import { inSoftLight } from './soft_light.js';
import { drawSurface, type Surface, surfaceOfGlb } from './surface.js';
import { compareWithSurface, type Draw, remembering } from './volume.js';

/** Everything a person's avatar is written through; a task context is one. */
export type PersonContext = Pick<TaskContext, 'control' | 'checkCancelled' | 'progress'>;

/** Files by name below the person's folder, and the report beside them. */
export interface PersonResult {
  readonly files: ReadonlyMap<string, Uint8Array | string>;
  readonly report: AvatarReport;
}

/** A person none of whose photos could be used: the report alone says why. */
export function unusablePerson(identity: string, options: AvatarOptions, refused: readonly Refusal[]): AvatarReport {
  const nothing = { photos: [], head: null, texture: null, field: null, capture: null, likeness: null, milliseconds: {} };
  return { daf: 1, identity, folder: identity, usable: false, quality: options.quality, refused, ...nothing };
}

/**
 * Builds one person's avatar: fit, texture, meshes, field, pictures. Everything shown is drawn from the files' bytes, read back.
 * @param observations encoded, best first.
 */
export async function buildPerson(
  identity: string,
  observations: readonly Uint8Array[],
  refused: readonly Refusal[],
  options: AvatarOptions,
  context: PersonContext,
): Promise<PersonResult> {
  const clock = stopwatch();
  const { level } = options;
  const { control } = context;
  const head = await chosenHead(options.head);
  const opened: OpenPhoto[] = [];
  for (const bytes of observations) opened.push(await openPhoto(bytes));
  const person = fitPerson(head, opened, control);
  const chin = landmarkOf(head, person.neutral, CHIN);
  const photos = opened.map((photo, i) => ({ ...photo, matte: withoutClothes(photo, person.fit.views[i]!.camera, chin) }));
  clock.lap('fit');
  const texture = texturePerson(head, person, photos, level.texture, control);
  clock.lap('texture');
  const mesh = avatarMesh({
    positions: person.neutral,
    source: head.source,
    uvs: head.uv,
    triangles: head.triangles,
    parts: head.info.parts,
    expressions: head.expressions,
  });
  const files = new Map<string, Uint8Array | string>(Object.entries(await meshFiles(mesh, texture, identity)));
  const surface = inSoftLight(await surfaceOfGlb(files.get('avatar.glb') as Uint8Array));
  clock.lap('export');
  context.progress(0.2);
  const volume = await personVolume({ head, surface, person, chin, photos }, options, context);
  for (const [name, bytes] of volume.files) files.set(name, bytes);
  clock.lap('field');
  using shown = volume;
  const { draw } = shown;
  const drawField = remembering(draw);
  const drawMesh = remembering((camera) => drawSurface(surface, camera, 'texture', control).rgba);
  const fieldReport = {
    kind: 'hashgrid' as const,
    ...volume.trained,
    ...compareWithSurface(drawField, drawMesh, surface.box, CELL),
  };
  const seen = shrunkCamera(person.fit.views[0]!.camera, LIKENESS_SIDE);
  const likeness = await likenessOf(photos[0]!, drawMesh(seen), drawField(seen));
  files.set('preview.png', await preview(draw, surface, level.preview));
  files.set('turntable.png', await turntable(draw, surface));
  clock.lap('pictures');
  const report = {
    photos: photos.map((photo, i) => photoReport(photo, person, i)),
    head: headReport(head, person, texture.hair),
    texture: { size: texture.size, observedFraction: texture.observedFraction },
    field: fieldReport,
    capture: volume.capture,
    likeness,
  };
  const row = await contactRow({
    label: [identity, ...summary(report)].join('  '),
    photo: photos[0]!,
    camera: seen,
    surface,
    drawField,
    drawMesh,
    control,
  });
  files.set('contact-row.png', row);
  clock.lap('contact');
  const unused = [...refused, ...volume.refused];
  const common = { daf: 1, identity, folder: identity, usable: true, quality: options.quality, refused: unused } as const;
  return { files, report: { ...common, ...report, milliseconds: clock.laps } };
}

/** Longer side of the pictures that tell likeness, pixels: coarse enough that noise and stray hairs are nobody's error. */
const LIKENESS_SIDE = 256;

/** PSNR against the photo where photo and render both show the head: says how wrong an avatar is, not how alike. */
async function likenessOf(whole: OpenPhoto, glb: Uint8Array, volume: Uint8Array): Promise<LikenessReport> {
  const photo = await shrinkPhoto(whole, LIKENESS_SIDE);
  const against = (rgba: Uint8Array): number =>
    psnr(
      { pixels: photo.rgb, channels: 3 },
      { pixels: rgba, channels: 4 },
      (i) => photo.matte[i]! >= 128 && rgba[4 * i + 3]! >= 128,
    );
  return { photo: whole.observation.photo, glbPsnr: against(glb), fieldPsnr: against(volume) };
}

async function preview(draw: Draw, surface: Surface, size: number): Promise<Uint8Array> {
  const camera = orbitCamera(surface.box, (15 * Math.PI) / 180, 0, size);
  return rgbaPng(draw(camera), size, size);
}

const TURN_SIZE = 128;
const TURN_STEPS = 8;

/** Eight views, an eighth of a turn apart, side by side; the first from the front. */
async function turntable(draw: Draw, surface: Surface): Promise<Uint8Array> {
  const strip = new Uint8Array(TURN_STEPS * TURN_SIZE * TURN_SIZE * 4);
  for (let step = 0; step < TURN_STEPS; step++) {
    const camera = orbitCamera(surface.box, (2 * Math.PI * step) / TURN_STEPS, 0, TURN_SIZE);
    const rgba = draw(camera);
    for (let y = 0; y < TURN_SIZE; y++) {
      const row = rgba.subarray(4 * y * TURN_SIZE, 4 * (y + 1) * TURN_SIZE);
      strip.set(row, 4 * (y * TURN_STEPS * TURN_SIZE + step * TURN_SIZE));
    }
  }
  return rgbaPng(strip, TURN_STEPS * TURN_SIZE, TURN_SIZE);
}

function photoReport({ observation }: OpenPhoto, person: FittedPerson, index: number): PhotoReport {
  const view = person.fit.views[index]!;
  const degrees = (radians: number): number => round((radians * 180) / Math.PI, 2);
  return {
    photo: observation.photo,
    quality: observation.quality,
    source: observation.source,
    yaw: degrees(view.yaw),
    pitch: degrees(view.pitch),
    roll: degrees(view.roll),
    focal: round(view.camera.focal / observation.photoSide, 3),
    residual: round(view.residual, 5),
    trust: round(view.trust, 3),
    warnings: observation.warnings,
    attributes: observation.attributes,
  };
}

function headReport(head: Head, person: FittedPerson, hair: HairSource): NonNullable<AvatarReport['head']> {
  const { landmarks } = head.info;
  const between = (a: number, b: number): number =>
    Math.hypot(...[0, 1, 2].map((k) => person.neutral[3 * landmarks[a]! + k]! - person.neutral[3 * landmarks[b]! + k]!)) / 100;
  return {
    model: head.info.name,
    vertices: head.info.vertexCount,
    triangles: head.info.triangleCount,
    scale: 'assumed',
    unit: 'metre',
    residual: round(person.fit.residual, 5),
    expressions: head.info.expressionNames.length,
    expressionsLeftOut: ARKIT_NAMES.filter((name) => !head.info.expressionNames.includes(name)),
    eyes: round(between(36, 45), 5),
    hair,
  };
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

function stopwatch(): { readonly laps: Record<string, number>; lap(name: string): void } {
  let last = performance.now();
  const laps: Record<string, number> = {};
  return {
    laps,
    lap(name) {
      const now = performance.now();
      laps[name] = Math.round(now - last);
      last = now;
    },
  };
}
