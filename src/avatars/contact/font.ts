/**
 * A small font for labels, because a fresh machine or container may have none: capital letters of 5 × 7 pixels, a base-32 digit per
 * row from the top, the most significant bit on the left.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  ' ': '0000000',
  A: 'ehhvhhh',
  B: 'uhhuhhu',
  C: 'ehggghe',
  D: 'uhhhhhu',
  E: 'vgguggv',
  F: 'vgguggg',
  G: 'ehgnhhe',
  H: 'hhhvhhh',
  I: 'e44444e',
  J: '72222ic',
  K: 'hikokih',
  L: 'ggggggv',
  M: 'hrllhhh',
  N: 'hhpljhh',
  O: 'ehhhhhe',
  P: 'uhhuggg',
  Q: 'ehhhlid',
  R: 'uhhukih',
  S: 'fgge11u',
  T: 'v444444',
  U: 'hhhhhhe',
  V: 'hhhhha4',
  W: 'hhhllla',
  X: 'hha4ahh',
  Y: 'hha4444',
  Z: 'v1248gv',
  0: 'ehjlphe',
  1: '4c4444e',
  2: 'eh1248v',
  3: 'v2421he',
  4: '26aiv22',
  5: 'vgu11he',
  6: '68guhhe',
  7: 'v124888',
  8: 'ehhehhe',
  9: 'ehhf12c',
  '.': '00000cc',
  ',': '0000c48',
  '-': '000v000',
  '+': '044v440',
  '/': '01248g0',
  '%': 'op248j3',
  ':': '0cc0cc0',
  '(': '2488842',
  ')': '8422248',
  _: '000000v',
  '=': '00v0v00',
  '?': 'eh12404',
  '!': '4444004',
  '<': '248g842',
  '>': '8421248',
  '*': '04lel40',
  '#': 'aavavaa',
  "'": '4480000',
  '"': 'aa00000',
  '&': 'cik8lid',
  '|': '4444444',
  '~': '008l200',
  '°': 'ciic000',
};
const UNKNOWN = 'vhhhhhv';

export const GLYPH_WIDTH = 6;
export const GLYPH_HEIGHT = 7;

/** Whether the glyph of `char` inks the pixel (x 0…4, y 0…6). Accents are dropped; what has no glyph is a box. */
export function glyphPixel(char: string, x: number, y: number): boolean {
  const base = char.normalize('NFD')[0]!.toUpperCase();
  const rows = GLYPHS[char] ?? GLYPHS[base] ?? UNKNOWN;
  return ((Number.parseInt(rows[y]!, 32) >> (4 - x)) & 1) === 1;
}
