import type { Rgb } from './picture.js';

/** The columns of a contact row. `photo`: the camera of the input photo; else yaw in degrees of a view around the head. */
export interface Column {
  readonly title: string;
  readonly shows: 'photo' | 'glb' | 'field' | 'clay';
  readonly yaw: number | 'photo';
}

/** Yaws, degrees. */
export const TURNS: readonly number[] = [-60, -30, 30, 60, 180];

export const COLUMNS: readonly Column[] = [
  { title: 'INPUT', shows: 'photo', yaw: 'photo' },
  { title: 'GLB AS INPUT', shows: 'glb', yaw: 'photo' },
  { title: 'FIELD AS INPUT', shows: 'field', yaw: 'photo' },
  ...TURNS.map((yaw): Column => ({ title: `GLB ${signed(yaw)}°`, shows: 'glb', yaw })),
  ...TURNS.map((yaw): Column => ({ title: `FIELD ${signed(yaw)}°`, shows: 'field', yaw })),
  { title: 'SHAPE +30°', shows: 'clay', yaw: 30 },
];

function signed(yaw: number): string {
  return yaw > 0 && yaw < 180 ? `+${yaw}` : String(yaw);
}

export const CELL = 144;
export const GAP = 4;
export const LABEL = 22;
export const HEADER = 44;
export const PEOPLE_PER_PAGE = 200;
export const ROW_WIDTH = COLUMNS.length * (CELL + GAP) + GAP;
export const ROW_HEIGHT = LABEL + CELL + GAP;

export const PAPER: Rgb = [244, 244, 242];
export const INK: Rgb = [24, 26, 30];
/** Behind every rendered head: hair and light skin both stand out. */
export const NEUTRAL: Rgb = [176, 182, 190];

export const cellLeft = (column: number): number => GAP + column * (CELL + GAP);
