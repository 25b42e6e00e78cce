const SIDES = ['Left', 'Right'] as const;
const sides = (...names: readonly string[]): string[] => names.flatMap((name) => SIDES.map((side) => name + side));

/** The 52 blend shapes of ARKit's face tracking, by which programs find an avatar's morph targets. */
export const ARKIT_NAMES: readonly string[] = [
  ...sides('eyeBlink', 'eyeLookDown', 'eyeLookIn', 'eyeLookOut', 'eyeLookUp', 'eyeSquint', 'eyeWide'),
  ...['jawForward', 'jawLeft', 'jawRight', 'jawOpen'],
  ...['mouthClose', 'mouthFunnel', 'mouthPucker', 'mouthLeft', 'mouthRight'],
  ...sides('mouthSmile', 'mouthFrown', 'mouthDimple', 'mouthStretch'),
  ...['mouthRollLower', 'mouthRollUpper', 'mouthShrugLower', 'mouthShrugUpper'],
  ...sides('mouthPress', 'mouthLowerDown', 'mouthUpperUp', 'browDown'),
  ...['browInnerUp', ...sides('browOuterUp'), 'cheekPuff', ...sides('cheekSquint', 'noseSneer'), 'tongueOut'],
];
