/** native/mesh, as bindings/mesh.cpp exports it, in the same order. */
// biome-ignore lint/suspicious/noEmptyInterface: filled as bindings/mesh.cpp grows
export interface MeshAddon {}
