import { defineJob } from '../engine/jobs/define.js';
import { combinePerson, finalizeAvatars, mapPhoto, reducePerson } from './stages.js';

/** Photos to avatars; a record is one photo, see avatarInput. */
export default defineJob({
  name: 'avatars',
  module: import.meta.url,
  text: false,
  input: { kind: 'packed' },
  map: mapPhoto,
  combine: combinePerson,
  reduce: reducePerson,
  finalize: finalizeAvatars,
  // The rest of a worker's 512 MB is Node itself, the worker's main thread and the addon's code.
  memory: { sortBuffer: 24 << 20, task: 320 << 20 },
});
