import { defineJob } from '../engine/jobs/define.js';
import { partitionPeople } from './input.js';
import { combinePerson, finalizeAvatars, mapPhoto, reducePerson } from './stages.js';

/** Photos to avatars; a record is one photo, see avatarInput. */
export default defineJob({
  name: 'avatars',
  module: import.meta.url,
  text: false,
  // In-memory records; what reduce emits is an index: identity, tab, its GLB.
  output: { kind: 'text', separator: '\t' },
  map: mapPhoto,
  combine: combinePerson,
  reduce: reducePerson,
  finalize: finalizeAvatars,
  partition: partitionPeople,
  // The rest of a worker's 512 MB is Node itself, the worker's main thread and the addon's code.
  memory: { sortBuffer: 24 << 20, task: 320 << 20 },
});
