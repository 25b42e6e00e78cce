// The name of this platform's folder in prebuilds/: <os>-<cpu>, with the libc where there are two.
export function platformTag() {
  const musl = process.platform === 'linux' && process.report?.getReport().header.glibcVersionRuntime === undefined;
  return `${process.platform}-${process.arch}${musl ? '-musl' : ''}`;
}

// What a build makes and a package ships beside the addon.
export const BINARIES = ['daf.node', 'daf-host'];
