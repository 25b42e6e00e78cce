import gltfValidator from 'gltf-validator';

export interface GlbVerdict {
  readonly errors: number;
  readonly warnings: number;
  /** `CODE: message`, errors first, then warnings; hints and infos are left out. */
  readonly messages: readonly string[];
}

/** Khronos' validator on the bytes of a .glb. */
export async function validateGlb(bytes: Uint8Array): Promise<GlbVerdict> {
  const { issues } = await gltfValidator.validateBytes(bytes);
  const messages = [0, 1].flatMap((severity) =>
    issues.messages.filter((message) => message.severity === severity).map(({ code, message }) => `${code}: ${message}`),
  );
  return { errors: issues.numErrors, warnings: issues.numWarnings, messages };
}
