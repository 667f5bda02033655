/**
 * What can be made to go wrong.
 */
import type { AutoScaling } from "./autoscaling/AutoScaling.ts"
import type { MetricStore } from "./cloudwatch/MetricStore.ts"
import type { Instances } from "./ec2/Instances.ts"
import type { LoadBalancing } from "./elb/LoadBalancing.ts"
import type { CallFault, ReceivedCalls } from "./wire/ReceivedCalls.ts"

/**
 * The faults of a simulator. All times are simulated milliseconds.
 *
 * *Details*: `calls` disturbs calls, and `staleReads` answers the next `times` reads of an operation as before the latest
 * change; both return a function that ends it. `weights` sets how long each node of a load balancer takes to learn of changed
 * rules: unequal numbers make the shares uneven meanwhile. `stuck` holds new targets of a group in `initial`. `noCapacity` lets
 * launches of a group fail. `kill` ends the application of an instance, and `terminate` the instance. `loseMinute` loses the
 * metrics of the minute of that time, and `metricsLate` sets how long after its end a minute appears. `partialMetrics` makes the
 * next answers of `GetMetricData` incomplete: `PartialData`, without the newest values.
 */
export interface Faults {
  readonly calls: (fault: CallFault) => () => void
  readonly staleReads: (operation: string, times: number) => () => void
  readonly weights: (...delays: ReadonlyArray<number>) => void
  readonly stuck: (targetGroup: string, isStuck?: boolean) => void
  readonly noCapacity: (group: string, isMissing?: boolean) => void
  readonly kill: (instance: string) => Promise<void>
  readonly terminate: (instance: string) => Promise<void>
  readonly loseMinute: (at: number) => void
  readonly metricsLate: (millis: number) => void
  readonly partialMetrics: (times: number) => void
}

/** What faults act on. */
export interface Faulty {
  readonly calls: ReceivedCalls
  readonly balancing: LoadBalancing
  readonly scaling: AutoScaling
  readonly instances: Instances
  readonly metrics: MetricStore
  readonly setDelays: (delays: ReadonlyArray<number>) => void
}

export const faultsOf = ({ balancing, calls, instances, metrics, scaling, setDelays }: Faulty): Faults => ({
  calls: (fault) => calls.add(fault),
  staleReads: (operation, times) => calls.staleReads(operation, times),
  weights: (...delays) => setDelays(delays),
  stuck: (targetGroup, isStuck = true) => void (balancing.group(targetGroup).stuck = isStuck),
  noCapacity: (group, isMissing = true) => void (scaling.group(group).noCapacity = isMissing),
  kill: (instance) => instances.kill(instance),
  terminate: (instance) => instances.terminate(instance),
  loseMinute: (at) => metrics.lose(at),
  metricsLate: (millis) => void (metrics.late = millis),
  partialMetrics: (times) => void (metrics.partial = times)
})
