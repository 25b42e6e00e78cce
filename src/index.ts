export { DafError } from './core/contracts/errors.js';
