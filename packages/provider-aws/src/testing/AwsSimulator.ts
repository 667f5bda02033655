/**
 * A simulator, as tests see it.
 */
import type { App } from "./ec2/Apps.ts"
import type { Faults } from "./Faults.ts"
import type { Ledger } from "./Ledger.ts"
import type { LiveService, SeedOptions } from "./seed.ts"

/**
 * The options of a simulator.
 *
 * *Details*: `scale` is how much faster its time runs (default 1); with 0 it stands still between calls of `advance`. `seed`
 * determines ids and delays. `apps` are applications by the id of an image or an address in S3, and `port` is where it listens
 * (default any). `nodes` is how many nodes a load balancer has (default 2). All times are simulated milliseconds:
 * `launchMillis` until a new instance is in service (default 10 000), `weightMillis` until each node knows of changed rules
 * (default 1000 and 3000), `metricsLateMillis` until a minute of metrics appears after its end (default 120 000).
 * `idleMillis` is how long a target may be silent until the load balancer answers 504, in real time as answers of apps are
 * (default 60 000). `pageSize` is how many resources a list has at most on one page (default 100).
 */
export interface AwsSimulatorOptions {
  readonly scale?: number
  readonly seed?: number
  readonly account?: string
  readonly region?: string
  readonly apps?: Readonly<Record<string, App>>
  readonly port?: number
  readonly nodes?: number
  readonly launchMillis?: number
  readonly weightMillis?: ReadonlyArray<number>
  readonly metricsLateMillis?: number
  readonly idleMillis?: number
  readonly pageSize?: number
}

/**
 * A running simulator.
 *
 * *Details*: `endpoint` is the address of all services, and `listenerUrl` the one where a listener takes requests. `now` is its
 * time; `advance` turns it forward and does what is due until then. `push` makes an application known. `edit` calls an
 * operation as another caller. `seed` makes a live service that was never deployed by Signalbox. `instances` are the running ones,
 * of one Auto Scaling group or all.
 */
export interface AwsSimulator {
  readonly endpoint: string
  readonly account: string
  readonly region: string
  readonly listenerUrl: (arn: string) => string
  readonly faults: Faults
  readonly ledger: Ledger
  readonly now: () => number
  readonly advance: (millis: number) => Promise<void>
  readonly push: (source: string, app: App) => void
  readonly edit: (operation: string, input: object) => Promise<unknown>
  readonly seed: (options?: SeedOptions) => Promise<LiveService>
  readonly instances: (group?: string) => ReadonlyArray<{ readonly id: string; readonly source: string }>
  readonly close: () => Promise<void>
}
