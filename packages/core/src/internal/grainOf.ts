import * as Duration from "effect/Duration"
import type { Grain } from "../analysis/MetricWindow.ts"
import type { MetricSource } from "../spi/MetricSource.ts"

/** How coarse and how late a source's data are; without a source, health is read at once. */
export const grainOf = (source: Pick<MetricSource, "lag" | "resolution"> | undefined): Grain => ({
  resolution: source === undefined ? 0 : Duration.toMillis(source.resolution),
  lag: source === undefined ? 0 : Duration.toMillis(source.lag)
})
