/** Jobs that come with DAF, by the name that `daf run` knows. */
export const SHIPPED_JOBS: Readonly<Record<string, string>> = {
  wordcount: new URL('./wordcount.js', import.meta.url).href,
  'inverted-index': new URL('./inverted-index.js', import.meta.url).href,
  grep: new URL('./grep.js', import.meta.url).href,
  sort: new URL('./sort.js', import.meta.url).href,
};
