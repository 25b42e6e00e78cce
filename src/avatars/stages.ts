import { DafError, type DafErrorCode } from '../core/contracts/errors.js';
import type { Emit, FinalizeContext, MapRecord, TaskContext } from '../core/contracts/stage.js';
import { contactHtml } from './contact/html.js';
import { PEOPLE_PER_PAGE } from './contact/layout.js';
import { contactPage, pageCount, pageName } from './contact/sheet.js';
import { openEyes } from './eyes.js';
import { decodeInput, identityOfKey, personKey } from './input.js';
import { bestObservations, encodeObservation, encodeRefusal } from './observation.js';
import { observe } from './observe.js';
import { avatarOptions, identityFolder } from './options.js';
import { buildPerson, unusablePerson } from './person.js';
import type { AvatarReport } from './report.js';

/**
 * What is the photo's fault, or that of the models given for it: it is refused, and the job goes on. Anything else fails the
 * attempt, a worker without onnxruntime (ERR_DAF_VISION_MISSING) too: another worker may have it.
 */
const REFUSABLE: ReadonlySet<DafErrorCode> = new Set([
  'ERR_DAF_BAD_IMAGE',
  'ERR_DAF_IMAGE_TOO_LARGE',
  'ERR_DAF_NO_FACE',
  'ERR_DAF_BAD_LANDMARKS',
  'ERR_DAF_PERMISSION',
  'ERR_DAF_NOT_FOUND',
  'ERR_DAF_IO',
  'ERR_DAF_BAD_MODEL',
  'ERR_DAF_MODEL_MISSING',
]);

export async function mapPhoto(record: MapRecord, emit: Emit, context: TaskContext): Promise<void> {
  const options = avatarOptions(context.params);
  const photo = decodeInput(record.value);
  if ('refused' in photo) {
    const { code, message, hint } = photo.refused;
    context.refuse(photo.name, new DafError(code, message, { hint: hint ?? undefined }));
    return;
  }
  identityFolder(photo.identity);
  try {
    const observation = await observe(photo, await openEyes(options), context.control);
    for (const warning of observation.warnings) {
      context.refuse(photo.name, new DafError(warning.code as DafErrorCode, warning.message), { refused: false });
    }
    emit(personKey(photo), encodeObservation(observation));
    context.counters.add('photos.used');
  } catch (error) {
    const refusal = DafError.from(error);
    if (!REFUSABLE.has(refusal.code)) throw refusal;
    context.refuse(photo.name, refusal);
    context.counters.add('photos.refused');
    emit(personKey(photo), encodeRefusal({ photo: photo.name, code: refusal.code, message: refusal.message }));
  }
}

export function combinePerson(key: Uint8Array, values: Iterable<Uint8Array>, emit: Emit, context: TaskContext): void {
  const { best, refusals } = bestObservations(values, avatarOptions(context.params).keep);
  for (const value of best) emit(key, value);
  for (const refusal of refusals) emit(key, encodeRefusal(refusal));
}

export async function reducePerson(
  key: Uint8Array,
  values: Iterable<Uint8Array>,
  emit: Emit,
  context: TaskContext,
): Promise<void> {
  const options = avatarOptions(context.params);
  const identity = identityFolder(identityOfKey(key));
  const { best, refusals } = bestObservations(values, options.keep);
  const folder = `avatars/${identity}`;
  let report = unusablePerson(identity, options, refusals);
  if (best.length > 0) {
    const person = await buildPerson(identity, best, refusals, options, context);
    for (const [name, bytes] of person.files) await context.files.put(`${folder}/${name}`, bytes);
    report = person.report;
    for (const { photo, code, message } of report.refused) {
      // The others were refused where they were looked at.
      if (!refusals.some((known) => known.photo === photo)) context.refuse(photo, new DafError(code as DafErrorCode, message));
    }
    emit(identity, `${folder}/avatar.glb`);
  }
  await context.files.put(`${folder}/report.json`, `${JSON.stringify(report, null, 2)}\n`, { volatile: true });
  context.counters.add(report.usable ? 'people.built' : 'people.without');
}

export async function finalizeAvatars(context: FinalizeContext): Promise<void> {
  const reports: AvatarReport[] = [];
  for (const { name } of context.outputs) {
    if (!/^avatars\/[^/]+\/report\.json$/.test(name)) continue;
    reports.push(JSON.parse(new TextDecoder().decode(await context.read(name))) as AvatarReport);
  }
  const people = reports.filter((report) => report.usable).sort(worstFirst);
  const pages: string[] = [];
  for (let page = 0; page < pageCount(people.length); page++) {
    const shown = people.slice(page * PEOPLE_PER_PAGE, (page + 1) * PEOPLE_PER_PAGE);
    const rows = shown.map((person) => () => context.read(`avatars/${person.folder}/contact-row.png`));
    const title = `${people.length} PEOPLE, WORST FIRST, PAGE ${page + 1} OF ${pageCount(people.length)}`;
    await context.files.put(pageName(page), await contactPage(title, rows));
    pages.push(pageName(page));
    context.checkCancelled();
  }
  const without = reports.filter((report) => !report.usable);
  await context.files.put('index.html', contactHtml(people, without, pages));
}

/** By the mesh's error against the photo; equal ones by name, so that the order never depends on the order of commits. */
function worstFirst(a: AvatarReport, b: AvatarReport): number {
  const by = (a.likeness?.glbPsnr ?? 0) - (b.likeness?.glbPsnr ?? 0);
  if (by !== 0 && !Number.isNaN(by)) return by;
  return a.identity < b.identity ? -1 : a.identity > b.identity ? 1 : 0;
}
