import type { Refusal } from '../observation.js';
import type { AvatarReport } from '../report.js';

/** What index.html says about one person. */
export type Person = Pick<AvatarReport, 'identity' | 'folder' | 'photos' | 'refused' | 'head' | 'texture' | 'field' | 'likeness'>;

const FILES = ['avatar.glb', 'avatar.obj', 'avatar.ply', 'field.safetensors', 'preview.png', 'turntable.png', 'report.json'];

/**
 * The contact sheet as a page that needs nothing but the files beside it. Holds no time, so that the same job gives the same bytes.
 * @param people with an avatar, worst first. @param without people no photo of whom was usable.
 */
export function contactHtml(people: readonly Person[], without: readonly Person[], pages: readonly string[]): string {
  const photos = people.reduce((sum, person) => sum + person.photos.length, 0);
  const refused = [...people, ...without].flatMap((person) => person.refused);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Avatars</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #181a1e; background: #f4f4f2 }
section { margin: 0 0 2rem; padding: 1rem; background: #fff; border-radius: 8px }
h2 { margin: 0 0 .25rem; font-size: 1.1rem }
.row { display: block; max-width: 100%; height: auto }
.files a { margin-right: 1rem }
.turn { width: 512px; max-width: 100%; margin-top: .5rem }
table { border-collapse: collapse } td, th { text-align: left; padding: .1rem .8rem .1rem 0; vertical-align: top }
.warn { color: #8a4b00 } code { font-size: .9em }
</style>
<h1>Avatars</h1>
<p>${people.length} ${people.length === 1 ? 'person' : 'people'} from ${photos} photos, worst likeness first. Every picture but the first of a row is
rendered from the exported files. ${pages.map((page) => `<a href="${page}">${page}</a>`).join(' ')}</p>
${people.map(section).join('')}${listWithout(without)}${listRefused(refused)}</html>
`;
}

function section(person: Person): string {
  const base = `avatars/${encodeURIComponent(person.folder)}`;
  const warnings = person.photos.flatMap((photo) => photo.warnings.map((warning) => ({ photo: photo.photo, ...warning })));
  return `<section>
<h2>${escapeHtml(person.identity)}</h2>
<p>${summary(person).map(escapeHtml).join(' · ')}</p>
<img class="row" src="${base}/contact-row.png" alt="" loading="lazy">
<img class="turn" src="${base}/turntable.png" alt="" loading="lazy">
<p class="files">${FILES.map((file) => `<a href="${base}/${file}">${file}</a>`).join('')}</p>
${warnings.map((w) => `<p class="warn">${escapeHtml(w.photo)}: <code>${w.code}</code> ${escapeHtml(w.message)}</p>\n`).join('')}</section>
`;
}

/** The figures a reader judges an avatar by; the labels of the contact rows show the same. */
export function summary(person: Pick<Person, 'photos' | 'head' | 'texture' | 'field' | 'likeness'>): string[] {
  const parts = [`${person.photos.length} photo${person.photos.length === 1 ? '' : 's'}`];
  if (person.head) parts.push(`landmarks ${percent(person.head.residual)} of the eye distance`);
  if (person.likeness)
    parts.push(`GLB ${person.likeness.glbPsnr.toFixed(1)} dB, field ${person.likeness.fieldPsnr.toFixed(1)} dB`);
  if (person.texture) parts.push(`${percent(person.texture.observedFraction)} of the skin seen`);
  if (person.field) parts.push(`field silhouette ${person.field.silhouette.toFixed(3)}`);
  return parts;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

function listWithout(without: readonly Person[]): string {
  if (without.length === 0) return '';
  const items = without.map((person) => `<li>${escapeHtml(person.identity)}</li>`).join('');
  return `<section><h2>People without a usable photo</h2><ul>${items}</ul></section>\n`;
}

function listRefused(refused: readonly Refusal[]): string {
  if (refused.length === 0) return '';
  const row = (photo: Refusal): string =>
    `<tr><td>${escapeHtml(photo.photo)}</td><td><code>${photo.code}</code></td><td>${escapeHtml(photo.message)}</td></tr>`;
  return `<section><h2>Photos that could not be used</h2><table>${refused.map(row).join('')}</table></section>\n`;
}

export function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (char) => names[char]!);
}
