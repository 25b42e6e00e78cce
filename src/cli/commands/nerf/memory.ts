/** Of a process's memory, what is not native: V8, encoders of pictures, libraries. */
const RESERVE = 160 * 2 ** 20;

/**
 * Keeps what is native within the memory that a command was given.
 * @param size of `--memory`
 * @returns bytes that are left for data
 * @throws DafError ERR_DAF_BAD_OPTION
 */
export async function limitMemory(size: string): Promise<number> {
  const { parseBytes } = await import('../../../core/options/index.js');
  const { addon } = await import('../../../core/addon/index.js');
  const left = parseBytes('--memory', size, RESERVE + 2 ** 25) - RESERVE;
  addon().setMemoryLimit(left);
  return left;
}
