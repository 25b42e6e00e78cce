export { Field } from './field.js';
export { openScene } from './scenes/open.js';
export type * from './scenes/types.js';
export type * from './types.js';
