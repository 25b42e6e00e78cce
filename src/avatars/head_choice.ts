import { join } from 'node:path';
import { addon } from '../core/addon/index.js';
import { DafError } from '../core/contracts/errors.js';
import { HEAD_ADAPTER, listPacks, readPack, registryFolder, verifyPack } from '../faces/models/registry.js';
import { embeddedHead, type Head, openHead } from './head.js';

export const EMBEDDED_HEAD = 'embedded';

const opened = new Map<string, Promise<Head>>();

/**
 * The head model that a job asks for, kept by this thread.
 * @param name `embedded`, or a head that `daf models add` left in this machine's registry.
 * @throws DafError ERR_DAF_MODEL_MISSING, with the heads there are; ERR_DAF_VERIFY: its file is not what was added; ERR_DAF_BAD_DATA.
 */
export function chosenHead(name: string): Promise<Head> {
  if (name === EMBEDDED_HEAD) return Promise.resolve(embeddedHead());
  let head = opened.get(name);
  if (head === undefined) {
    head = headFile(name).then((file) => openHead(addon().headLoad(file)));
    opened.set(name, head);
    // A failure is tried again: the model may have been added since.
    head.catch(() => opened.delete(name));
  }
  return head;
}

/** @throws DafError as {@link chosenHead}. */
export async function headFile(name: string): Promise<string> {
  const registry = registryFolder();
  const pack = await readPack(registry, name);
  const pinned = pack?.files.find(({ adapter }) => adapter === HEAD_ADAPTER);
  if (pack === null || pinned === undefined) {
    const heads = (await listPacks(registry)).filter(({ files }) => files.some(({ adapter }) => adapter === HEAD_ADAPTER));
    throw new DafError('ERR_DAF_MODEL_MISSING', `no head model "${name}" was added`, {
      hint: `there are: ${[EMBEDDED_HEAD, ...heads.map((each) => each.name)].join(', ')}; daf models add ~/ICT-FaceKit adds ict-facekit`,
    });
  }
  const wrong = (await verifyPack(registry, pack)).find(({ file, state }) => file === pinned.file && state !== 'ok');
  if (wrong === undefined) return join(registry, name, pinned.file);
  throw new DafError('ERR_DAF_VERIFY', `${wrong.path} is not what was added: ${wrong.detail}`, {
    hint: `daf models remove ${name}, then add it again`,
  });
}
