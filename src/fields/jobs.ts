/** The jobs of this room, by the name that `daf run` knows. */
export const FIELD_JOBS: Readonly<Record<string, string>> = {
  'nerf-train': new URL('./train/job.js', import.meta.url).href,
  'nerf-render': new URL('./render/job.js', import.meta.url).href,
};
