import { Simulation } from "@signalbox/core/testing"

/**
 * Where the random seeds begin (`npm run simulate`). Tests, which use the same seeds each time, stay below.
 */
export const fresh = 1_000_000

/** Twice the faults of an ordinary day. */
export const doubledFaults = Object.fromEntries(
  Object.entries(Simulation.usualFaults).map(([kind, probability]) => [kind, Math.min(0.8, probability * 2)])
) as typeof Simulation.usualFaults

/** Some dozens, for what must hold of every event. */
export const seedsOfSentences = { seed: 5_000, seeds: 40 }
