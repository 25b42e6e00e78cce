import type { CameraValues } from '../core/addon/index.js';
import type { TaskContext } from '../core/contracts/stage.js';
import { Field } from '../fields/index.js';
import type { NeuralField } from '../fields/types.js';
import { orbitCamera, resizedCamera } from './camera.js';
import { withoutClothes } from './clothes.js';
import { psnr } from './compare.js';
import { summary } from './contact/html.js';
import { contactRow } from './contact/row.js';
import { ARKIT_NAMES } from './export/arkit.js';
import { avatarMesh } from './export/mesh.js';
import { fieldPhoto, shrinkPhoto } from './field_photo.js';
import { meshFiles, rgbaPng } from './files.js';
import { CHIN, type FittedPerson, fitPerson, landmarkOf, texturePerson } from './fit_person.js';
import type { HairSource } from './hair_fill.js';
import type { Head } from './head.js';
import { chosenHead } from './head_choice.js';
import { neutralPhoto } from './neutral_photo.js';
import type { Refusal } from './observation.js';
import type { AvatarOptions } from './options.js';
import { type OpenPhoto, openPhoto } from './photo.js';
import type { AvatarReport, LikenessReport, PhotoReport } from './report.js';
import { inSoftLight } from './soft_light.js';
import { drawSurface, type Surface, surfaceOfGlb } from './surface.js';
import { compareWithSurface, fieldBox, supervisedViews, trainField } from './volume.js';

/** Everything a person's avatar is written through; a task context is one. */
export type PersonContext = Pick<TaskContext, 'control' | 'checkCancelled' | 'progress'>;

/** Files by name below the person's folder, and the report beside them. */
export interface PersonResult {
  readonly files: ReadonlyMap<string, Uint8Array | string>;
  readonly report: AvatarReport;
}

/** A person none of whose photos could be used: the report alone says why. */
export function unusablePerson(identity: string, options: AvatarOptions, refused: readonly Refusal[]): AvatarReport {
  const nothing = { photos: [], head: null, texture: null, field: null, likeness: null, milliseconds: {} };
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
  const trained = await makeField(head, surface, person, chin, photos, options, context);
  files.set('field.safetensors', trained.bytes);
  clock.lap('field');
  using field = Field.load(trained.bytes);
  const fieldReport = {
    kind: 'hashgrid' as const,
    steps: level.steps,
    samples: trained.samples,
    ...compareWithSurface(field, surface, 96, control),
  };
  const likeness = await likenessOf(photos[0]!, person.fit.views[0]!.camera, surface, field, control);
  files.set('preview.png', await preview(field, surface, level.preview, control));
  files.set('turntable.png', await turntable(field, surface, control));
  clock.lap('pictures');
  const report = {
    photos: photos.map((photo, i) => photoReport(photo, person, i)),
    head: headReport(head, person, texture.hair),
    texture: { size: texture.size, observedFraction: texture.observedFraction },
    field: fieldReport,
    likeness,
  };
  const row = await contactRow({
    label: [identity, ...summary(report)].join('  '),
    photo: photos[0]!,
    camera: person.fit.views[0]!.camera,
    surface,
    drawField: (camera) => field.render(camera, { control }).rgba,
    control,
  });
  files.set('contact-row.png', row);
  clock.lap('contact');
  const common = { daf: 1, identity, folder: identity, usable: true, quality: options.quality, refused } as const;
  return { files, report: { ...common, ...report, milliseconds: clock.laps } };
}

async function makeField(
  head: Head,
  surface: Surface,
  person: FittedPerson,
  chin: readonly number[],
  photos: readonly OpenPhoto[],
  options: AvatarOptions,
  context: PersonContext,
) {
  const { level, seed } = options;
  const views = supervisedViews(surface, level, seed, context.control);
  for (const [i, photo] of photos.entries()) {
    const { camera, expression } = person.fit.views[i]!;
    const still = expression.every((weight) => weight < 0.02);
    const shown = still ? photo : neutralPhoto(head, photo, camera, person.neutral, person.shown[i]!, context.control);
    views.push(await fieldPhoto(shown, camera, surface, chin, level.photoSize, context.control));
  }
  const widths = { densityWidth: level.fieldWidth, colorWidth: level.fieldWidth };
  using field = Field.create({ kind: 'hashgrid', box: fieldBox(surface), seed, ...widths });
  const samples = trainField(field, views, level, seed, context.control, (share) => {
    context.checkCancelled();
    context.progress(0.2 + 0.6 * share);
  });
  return { bytes: field.save(), samples };
}

/** Longer side of the pictures that tell likeness, pixels: coarse enough that noise and stray hairs are nobody's error. */
const LIKENESS_SIDE = 256;

/** PSNR against the photo where photo and render both show the head: says how wrong an avatar is, not how alike. */
async function likenessOf(
  whole: OpenPhoto,
  lens: CameraValues,
  surface: Surface,
  field: NeuralField,
  control: Int32Array,
): Promise<LikenessReport> {
  const photo = await shrinkPhoto(whole, LIKENESS_SIDE);
  const camera = resizedCamera(lens, photo.width, photo.height);
  const glb = drawSurface(surface, camera, 'texture', control).rgba;
  const volume = field.render(camera, { control }).rgba;
  const against = (rgba: Uint8Array): number =>
    psnr(
      { pixels: photo.rgb, channels: 3 },
      { pixels: rgba, channels: 4 },
      (i) => photo.matte[i]! >= 128 && rgba[4 * i + 3]! >= 128,
    );
  return { photo: whole.observation.photo, glbPsnr: against(glb), fieldPsnr: against(volume) };
}

async function preview(field: NeuralField, surface: Surface, size: number, control: Int32Array): Promise<Uint8Array> {
  const camera = orbitCamera(surface.box, (15 * Math.PI) / 180, 0, size);
  return rgbaPng(field.render(camera, { control }).rgba, size, size);
}

const TURN_SIZE = 128;
const TURN_STEPS = 8;

/** Eight views, an eighth of a turn apart, side by side; the first from the front. */
async function turntable(field: NeuralField, surface: Surface, control: Int32Array): Promise<Uint8Array> {
  const strip = new Uint8Array(TURN_STEPS * TURN_SIZE * TURN_SIZE * 4);
  for (let step = 0; step < TURN_STEPS; step++) {
    const camera = orbitCamera(surface.box, (2 * Math.PI * step) / TURN_STEPS, 0, TURN_SIZE);
    const { rgba } = field.render(camera, { control });
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
