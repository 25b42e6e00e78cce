/** Stages in the order they run. */
export const STAGES = ['map', 'reduce', 'finalize'] as const;
