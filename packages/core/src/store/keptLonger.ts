/** How much longer an execution is kept of which notifications are still owed, in ms: 30 days. */
export const keptLonger = 30 * 24 * 60 * 60 * 1_000
