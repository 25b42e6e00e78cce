export { Field } from './field.js';
export type * from './types.js';
