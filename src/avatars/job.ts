import { defineJob } from '../engine/jobs/define.js';
import { partitionPeople } from './input.js';
import { avatarOptions } from './options.js';
import { combinePerson, finalizeAvatars, mapPhoto, reducePerson } from './stages.js';

/** Photos to avatars; a record is one photo, see avatarInput. */
export default defineJob({
  name: 'avatars',
  module: import.meta.url,
  text: false,
  check: (params) => void avatarOptions(params),
  // In-memory records; what reduce emits is an index: identity, tab, its GLB.
  output: { kind: 'text', separator: '\t' },
  map: mapPhoto,
  combine: combinePerson,
  reduce: reducePerson,
  finalize: finalizeAvatars,
  partition: partitionPeople,
  // Fits a worker of 312 MB, which is what a limit of 512 MB leaves for one beside coordinator and client. Measured: 175 MB.
  memory: { sortBuffer: 8 << 20, task: 216 << 20 },
});
