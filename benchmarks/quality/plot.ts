import type { QualityCase } from './cases.js';
import type { QualityPoint } from './curve.js';

/** The points of a scene, in the order of their minutes. */
export interface QualityCurve {
  readonly scene: QualityCase;
  readonly points: readonly QualityPoint[];
}

const WIDTH = 900;
const HEIGHT = 540;
const MARGIN = { left: 70, right: 230, top: 50, bottom: 60 } as const;
/** Told apart by people who see few colours too (Okabe and Ito). */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#000000', '#e69f00'];
const DECIBELS_PER_LINE = 2;

/** Held-out PSNR over the minutes of training, on a logarithmic axis, as SVG; what is wanted of a scene is a hollow diamond. */
export function plotQuality(curves: readonly QualityCurve[]): string {
  const wanted = curves.map(({ scene }) => ({ minutes: scene.minutes, psnr: scene.reach }));
  const all = [...curves.flatMap(({ points }) => points), ...wanted];
  const times = [...new Set(all.map(({ minutes }) => minutes))].sort((a, b) => a - b);
  const [first, last] = [times[0]!, times.at(-1)!];
  const low = DECIBELS_PER_LINE * Math.floor(Math.min(...all.map(({ psnr }) => psnr)) / DECIBELS_PER_LINE);
  const high = DECIBELS_PER_LINE * Math.ceil(Math.max(...all.map(({ psnr }) => psnr)) / DECIBELS_PER_LINE);
  const x = (minutes: number): number => {
    const share = first === last ? 0.5 : Math.log(minutes / first) / Math.log(last / first);
    return Math.round(MARGIN.left + share * (WIDTH - MARGIN.left - MARGIN.right));
  };
  const y = (psnr: number): number =>
    Math.round(HEIGHT - MARGIN.bottom - ((psnr - low) / Math.max(1, high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom));

  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(MARGIN.left, 28, 'Held-out PSNR by minutes of training, 2 threads', 'start', 18),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 16, 'minutes from the start of the process', 'middle', 14),
    text(MARGIN.left - 8, MARGIN.top - 8, 'dB', 'end', 14),
  ];
  for (let level = low; level <= high; level += DECIBELS_PER_LINE) {
    parts.push(line(MARGIN.left, y(level), WIDTH - MARGIN.right, y(level), '#dddddd'));
    parts.push(text(MARGIN.left - 8, y(level) + 5, String(level), 'end', 14));
  }
  for (const minutes of times) {
    parts.push(line(x(minutes), MARGIN.top, x(minutes), HEIGHT - MARGIN.bottom, '#dddddd'));
    parts.push(text(x(minutes), HEIGHT - MARGIN.bottom + 20, minutes.toPrecision(2).replace(/\.0$/, ''), 'middle', 14));
  }
  for (const [i, { scene, points }] of curves.entries()) {
    const color = COLORS[i % COLORS.length]!;
    const path = points.map(({ minutes, psnr }) => `${x(minutes)},${y(psnr)}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2.5"/>`);
    for (const { minutes, psnr } of points) parts.push(`<circle cx="${x(minutes)}" cy="${y(psnr)}" r="4" fill="${color}"/>`);
    const [cx, cy] = [x(scene.minutes), y(scene.reach)];
    parts.push(`<path d="M${cx - 7} ${cy}l7 -7 7 7 -7 7z" fill="none" stroke="${color}" stroke-width="1.5"/>`);
    const legend = MARGIN.top + 24 * i;
    parts.push(line(WIDTH - MARGIN.right + 16, legend, WIDTH - MARGIN.right + 40, legend, color));
    parts.push(text(WIDTH - MARGIN.right + 48, legend + 5, `${scene.name}, ${points.at(-1)!.psnr.toFixed(1)} dB`, 'start', 14));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">${parts.join('')}</svg>`;
}

function line(x1: number, y1: number, x2: number, y2: number, color: string): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${color}" stroke-width="${color === '#dddddd' ? 1 : 2.5}"/>`;
}

function text(x: number, y: number, words: string, anchor: string, size: number): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" font-family="sans-serif">${words}</text>`;
}
