import { DafError } from '../../core/contracts/errors.js';

/** A model that `daf models add NAME` knows where to find. */
export interface KnownModel {
  readonly name: string;
  readonly summary: string;
  /** As its authors state it. */
  readonly licence: string;
  /** Pinned to a commit. */
  readonly url: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Hashes of the files as they lie in their authors' repositories at the commits named. */
export const KNOWN_MODELS: readonly KnownModel[] = [
  {
    name: 'yunet',
    summary: 'face detector with five points, any size of picture',
    licence: 'Apache-2.0 (ShiqiYu/libfacedetection.train)',
    url: 'https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/0047ac24afb1a50a0c6105001c89d1b5b805dbf1/onnx/yunet_n_dynamic.onnx',
    file: 'yunet_n_dynamic.onnx',
    sha256: '104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12',
    bytes: 322_906,
  },
  {
    name: 'ultraface-rfb-320',
    summary: 'face detector, boxes only',
    licence: 'MIT (Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB)',
    url: 'https://raw.githubusercontent.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB/dffdddda9794a50607cba8f318507a28c1c27cab/models/onnx/version-RFB-320.onnx',
    file: 'version-RFB-320.onnx',
    sha256: '34cd7e60aeff28744c657de7a3dc64e872d506741de66987f3426f2b79f88017',
    bytes: 1_270_727,
  },
  {
    name: 'peppa-68',
    summary: '68 landmarks',
    licence: 'Apache-2.0 (ainrichman/Peppa-Facial-Landmark-PyTorch); trained on 300W-LP',
    url: 'https://raw.githubusercontent.com/ainrichman/Peppa-Facial-Landmark-PyTorch/238063317fd31c4c21c5c43692e6a5d769970370/pretrained_weights/slim_160_latest.onnx',
    file: 'slim_160_latest.onnx',
    sha256: '2121aacea9169ac27227508238237376fe64b96e2f2cc57082f26e88d650fbd2',
    bytes: 973_972,
  },
];

/** A head model that is converted from a checkout: 250 OBJ files have no single SHA-256 to pin. */
export const ICT = {
  name: 'ict-facekit',
  summary: 'head model: 100 identity modes, 51 ARKit shapes',
  licence: 'MIT (ICT-VGL/ICT-FaceKit)',
  repository: 'https://github.com/ICT-VGL/ICT-FaceKit',
  commit: 'da5f95a6',
} as const;

/** @throws DafError ERR_DAF_NOT_FOUND, with the names there are. */
export function knownModel(name: string): KnownModel {
  const known = KNOWN_MODELS.find((model) => model.name === name);
  if (known !== undefined) return known;
  if (name === ICT.name) {
    throw new DafError('ERR_DAF_NOT_FOUND', `"${name}" is converted from a checkout of ${ICT.repository} (${ICT.licence})`, {
      hint: `git clone ${ICT.repository}, git checkout ${ICT.commit}, then: daf models add ICT-FaceKit`,
    });
  }
  throw new DafError('ERR_DAF_NOT_FOUND', `"${name}" is no file, folder, address or known model`, {
    hint: `known: ${KNOWN_MODELS.map((model) => model.name).join(', ')}`,
  });
}
