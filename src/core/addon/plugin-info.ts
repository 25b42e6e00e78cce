import { addon, nativeFile, type PluginInfo } from './index.js';

/**
 * What a native plugin says of itself. It is loaded in a child process, so that looking at a file cannot hurt this one.
 * @throws DafError or native error ERR_DAF_PLUGIN when the file is no plugin of this version and platform.
 */
export function readPluginInfo(path: string): PluginInfo {
  const host = new (addon().PluginHost)({
    host: nativeFile('daf-host'),
    plugin: path,
    params: {},
    inputBytes: 2 << 20,
    memoryBytes: 0,
    timeoutMs: 10_000,
  });
  try {
    return host.info;
  } finally {
    host.dispose();
  }
}
