/** Makes six people of different skin, age and hair. */
export const DEMO_SEED = 7;
