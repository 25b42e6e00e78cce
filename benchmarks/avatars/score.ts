import { psnr } from '#daf/avatars/compare.js';
import { fitLight, type Light, underLight } from '#daf/testing/likeness/light.js';
import { beforeGrey, type Drawn } from './picture.js';
import { film, REGIONS, type Region, type Truth } from './truth.js';

/** How alike one picture is. */
export interface Score {
  /** Over the head in the truth, before grey; under the light fitted at yaw 0. dB. */
  readonly psnr: number;
  /** The same of the file's own colours, in no light. */
  readonly psnrRaw: number;
  /** Where both show the head, lit: without what the silhouettes differ by. */
  readonly psnrBoth: number;
  readonly iou: number;
  /** Root mean square of what `psnr` measures, 0…255, and share of the head's pixels, by region. */
  readonly regions: Readonly<Partial<Record<Region, { readonly rmse: number; readonly share: number }>>>;
}

/** The head's pixels that clothes do not hide. */
const shows = ({ photo, hidden }: Truth, i: number): boolean => photo.mask[i]! >= 128 && hidden[i] === 0;

const HAIR = 1 + REGIONS.indexOf('hair');

/** The light of a person's photo, from the skin of the picture at yaw 0 alone. */
export function lightOf(drawn: Drawn, truth: Truth): Light {
  return fitLight(drawn, truth.photo.rgb, (i) => shows(truth, i) && truth.regions[i] !== HAIR && drawn.rgba[4 * i + 3]! >= 250);
}

/** @param gain exposure against the picture at yaw 0. */
export function scoreOf(
  drawn: Drawn,
  truth: Truth,
  light: Light,
  gain: number,
): { readonly score: Score; readonly lit: Uint8Array } {
  const lit = underLight(drawn, light, gain, film);
  const { rgb, mask } = truth.photo;
  const inTruth = (i: number): boolean => shows(truth, i);
  const against = (pixels: Uint8Array, use: (i: number) => boolean): number =>
    psnr({ pixels: rgb, channels: 3 }, { pixels, channels: 3 }, use);
  const shown = beforeGrey(lit);
  let [both, either] = [0, 0];
  for (let i = 0; i < mask.length; ++i) {
    if (truth.hidden[i] !== 0) continue;
    const [a, b] = [mask[i]! >= 128, drawn.rgba[4 * i + 3]! >= 128];
    both += a && b ? 1 : 0;
    either += a || b ? 1 : 0;
  }
  const regions: Partial<Record<Region, { rmse: number; share: number }>> = {};
  const head = mask.reduce((sum, _, i) => sum + (inTruth(i) ? 1 : 0), 0);
  for (const [k, region] of REGIONS.entries()) {
    const here = (i: number): boolean => truth.regions[i] === k + 1 && inTruth(i);
    const pixels = mask.reduce((sum, _, i) => sum + (here(i) ? 1 : 0), 0);
    if (pixels > 0) regions[region] = { rmse: 255 * 10 ** (-against(shown, here) / 20), share: pixels / head };
  }
  return {
    lit,
    score: {
      psnr: against(shown, inTruth),
      psnrRaw: against(beforeGrey(drawn.rgba), inTruth),
      psnrBoth: against(shown, (i) => inTruth(i) && drawn.rgba[4 * i + 3]! >= 128),
      iou: both / either,
      regions,
    },
  };
}

/** [pixels][3]: light where truth and drawing both have the head, red where only the truth, blue where only the drawing; dim what does not count. */
export function outlinePicture(drawn: Drawn, { photo, hidden }: Truth): Uint8Array {
  const out = new Uint8Array(3 * hidden.length);
  for (let i = 0; i < hidden.length; ++i) {
    const [truth, own] = [photo.mask[i]! >= 128, drawn.rgba[4 * i + 3]! >= 128];
    out.set(
      hidden[i] !== 0 ? [70, 70, 110] : truth && own ? [200, 200, 200] : truth ? [255, 0, 0] : own ? [0, 0, 255] : [0, 0, 0],
      3 * i,
    );
  }
  return out;
}
