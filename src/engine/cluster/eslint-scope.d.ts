// The part that is used; the package has no types of its own.
declare module 'eslint-scope' {
  export function analyze(
    tree: unknown,
    options: { readonly ecmaVersion: number; readonly sourceType: 'module' | 'script' },
  ): { readonly globalScope: { readonly through: readonly { readonly identifier: { readonly name: string } }[] } | null };
}
