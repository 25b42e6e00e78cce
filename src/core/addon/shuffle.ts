/** native/shuffle, as bindings/shuffle.cpp exports it, in the same order. */
// biome-ignore lint/suspicious/noEmptyInterface: filled as bindings/shuffle.cpp grows
export interface ShuffleAddon {}
