/** native/nerf, as bindings/nerf.cpp exports it, in the same order. */
// biome-ignore lint/suspicious/noEmptyInterface: filled as bindings/nerf.cpp grows
export interface NerfAddon {}
