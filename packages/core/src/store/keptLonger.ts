/** How much longer an execution is kept while its notifications are owed, in ms: 30 days. */
export const keptLonger = 30 * 24 * 60 * 60 * 1_000
