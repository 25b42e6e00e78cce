/** native/head, as bindings/head.cpp exports it, in the same order. */
// biome-ignore lint/suspicious/noEmptyInterface: filled as bindings/head.cpp grows
export interface HeadAddon {}
