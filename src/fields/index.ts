export { Field } from './field.js';
export { type ImportedField, type ImportOptions, importField } from './import/import-field.js';
export { type KeyMap, parseKeyMap } from './import/key-map.js';
export { type MeshFile, type MeshFileOptions, type MeshFormat, meshFiles, meshFormat } from './mesh/files.js';
export { meshField } from './mesh/mesh-field.js';
export type * from './mesh/types.js';
export { openScene } from './scenes/open.js';
export type * from './scenes/types.js';
export type * from './types.js';
