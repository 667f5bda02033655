/**
 * Windows of measurements, fitted to the periods of their source. Times in milliseconds.
 */

/**
 * How coarse and how late the data of a source are: the length of its periods, and how long after its end a period is
 * complete. Both are zero for a source that counts single requests at once.
 */
export interface Grain {
  readonly resolution: number
  readonly lag: number
}

/** A window, both ends aligned. It is empty, with `from` = `to`, as long as no period is complete. */
export interface MetricWindow {
  readonly from: number
  readonly to: number
}

/** Whether its data come in periods, or later than they happen. */
export const isCoarse = ({ lag, resolution }: Grain): boolean => resolution > 0 || lag > 0

/** The last end of a period up to `at`. */
export const alignDown = (at: number, { resolution }: Grain): number =>
  resolution === 0 ? at : Math.floor(at / resolution) * resolution

/** The first end of a period from `at` on. */
export const alignUp = (at: number, { resolution }: Grain): number =>
  resolution === 0 ? at : Math.ceil(at / resolution) * resolution

/**
 * The window of a look: the last complete periods, as many as fit into `length` and at least one.
 *
 * *Details*: it begins with the first whole period after `notBefore`, so that no data from before a shift of traffic are
 * judged. A source that counts single requests can tell releases apart, and is asked for the last `length`.
 */
export const windowAt = (
  grain: Grain,
  { length, notBefore, now }: { readonly now: number; readonly length: number; readonly notBefore: number }
): MetricWindow => {
  if (!isCoarse(grain)) return { from: now - length, to: now }
  const to = alignDown(now - grain.lag, grain)
  const from = to - alignUp(Math.max(length, grain.resolution), grain)
  return { from: Math.min(to, Math.max(from, alignUp(notBefore, grain))), to }
}

/**
 * How much longer than the bake evidence may take: twice the time of the passes in a row, and the time until as many
 * periods are complete, with one to spare.
 */
export const patience = (grain: Grain, passes: number, interval: number): number =>
  Math.max(2 * passes * interval, isCoarse(grain) ? (passes + 2) * grain.resolution + grain.lag + 2 * interval : 0)

/** How many looks have to be taken before evidence is given up: where looks are slow, `patience` alone allows too few of them. */
export const leastLooks = (passes: number): number => 2 * passes

/** Where the looks at a step begin to count: with the first whole period after `startedAt`. */
export const firstCounted = (grain: Grain, startedAt: number): number =>
  isCoarse(grain) ? alignUp(startedAt, grain) : -Infinity

/**
 * Whether a look counts: its data reach at least one period further than the last one that counted.
 */
export const advances = ({ resolution }: Grain, counted: number, until: number): boolean =>
  until >= counted + Math.max(1, resolution)
