import type { Instant } from "../Instant.ts"

/** The moment of a timestamp. */
// oxlint-disable-next-line no-restricted-globals -- no clock is read: the time is given
export const instantOf = (at: number): Instant => new Date(at)

/** The same; null if there is none. */
export const instantOrNull = (at: number | undefined): Instant | null => (at === undefined ? null : instantOf(at))
