/** What every {@link versionOfFile} begins with. */
export const TIME = 'mtime ';

/** Another text whenever a file was written to, as finely as its file system notes that; of one length it may have other bytes. */
export function versionOfFile({ mtimeMs }: { readonly mtimeMs: number }): string {
  return `${TIME}${mtimeMs}`;
}
