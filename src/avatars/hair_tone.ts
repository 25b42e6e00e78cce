/** sRGB, 0…255. */
export type Color = readonly [number, number, number];

/** A place of the hair shell that a photo saw. */
export interface Texel {
  readonly color: Color;
  readonly height: number;
}

/** Of the seen hair texels, those that lie highest: above the forehead, where a receding hairline still shows skin. */
const HIGHEST = 0.25;
/** The scalp shows under thin hair and above a receding hairline; this share of the seen texels must be hair for the back to be hair too. */
const A_HEAD_OF_HAIR = 0.1;
/**
 * What is no scalp: log ratios of the channels this far from the skin's, or a brightness this far below (or above) it, which no shadow explains;
 * on top of the head, where most photos have light, less of a difference says as much.
 */
const NOT_SKIN = { tint: 0.2, light: 1.1, lightOnTop: 0.5 };

/** Log brightness below the skin's of hair that is no white hair in shadow. */
const DARKER = 0.4;
/** This share of the outline above the brows is hair on a head that has any; shadow and lamps take less. */
const A_RIM_OF_HAIR = 0.3;

/**
 * The hair's colour. Hair is told from the scalp by its colour, and where that fails (dark hair, skin in the dark) by its place: what lies highest
 * is hair on all but bald heads, and skin on those. Of a receding head most that a photo sees from the front is forehead: its outline tells.
 * @param rim colours along the outline above the brows, in the photo's own light.
 */
export function hairTone(
  seen: readonly Texel[],
  skin: readonly Color[],
  rim: readonly Color[],
): { readonly color: Color; readonly bald: boolean } {
  const colors = seen.map(({ color }) => color);
  if (skin.length === 0) return { color: medianColor(colors), bald: false };
  const tone = toneOf(medianColor(skin));
  const isStrand = (color: Color): boolean => {
    const { tint, light } = toneOf(color);
    return (
      Math.hypot(tint[0] - tone.tint[0], tint[1] - tone.tint[1]) > NOT_SKIN.tint || Math.abs(light - tone.light) > NOT_SKIN.light
    );
  };
  const strands = colors.filter(isStrand);
  const around = rim.filter(isStrand);
  const rimmed = around.length > A_RIM_OF_HAIR * rim.length;
  if (strands.length >= A_HEAD_OF_HAIR * seen.length) {
    const own = medianColor(strands);
    // A lamp on the forehead is neither skin nor hair: light hair is light along the outline too.
    const lamp = rimmed && toneOf(own).light > tone.light && toneOf(medianColor(around)).light < tone.light - DARKER;
    if (!lamp) return { color: own, bald: false };
  }
  if (rimmed) return { color: medianColor(around), bald: false };
  const lowest = quantile(
    seen.map(({ height }) => height),
    1 - HIGHEST,
  );
  const top = medianColor(seen.filter(({ height }) => height >= lowest).map(({ color }) => color));
  const dark = Math.abs(toneOf(top).light - tone.light) > NOT_SKIN.lightOnTop;
  return dark ? { color: top, bald: false } : { color: medianColor(colors), bald: true };
}

/** Tint as log ratios of the channels, light as the log of their sum. */
export function toneOf(color: Color): { readonly tint: readonly [number, number]; readonly light: number } {
  const [r, g, b] = color.map((value) => value + 8) as unknown as Color;
  return { tint: [Math.log(r / g), Math.log(g / b)], light: Math.log(r + g + b) };
}

function medianColor(colors: readonly Color[]): Color {
  return [0, 1, 2].map((c) =>
    quantile(
      colors.map((color) => color[c]!),
      0.5,
    ),
  ) as unknown as Color;
}

/** @param values sorted in place */
function quantile(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length * share)]!;
}
