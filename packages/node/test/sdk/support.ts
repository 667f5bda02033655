import type { Config } from "@signalbox/core"
import { SimulatedProvider } from "@signalbox/core/testing"
import { connect, type Connection, type ConnectOptions, isSignalboxError, type SignalboxError } from "@signalbox/node"
import { onTestFinished } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"

export const environment = "production"

const gate = {
  gracePeriod: "0 millis",
  interval: "20 millis",
  consecutivePasses: 1,
  minSamples: 0,
  errorWindow: "1 second"
} as const

/** One stack on the simulated cloud. */
export const configuration = (changes: Partial<Config["stacks"][number]> = {}): Config => ({
  organization: "acme",
  project: "shop",
  environments: { production: {}, staging: {} },
  leaseTtl: "5 seconds",
  stacks: [{ name: "web", provider: "simulated", gate, ...changes }]
})

/** A canary with an endless bake: something to interrupt, abort or promote. */
export const endless = configuration({
  strategy: { type: "canary", steps: [{ weight: 50, bake: "10 minutes" }] }
})

/** A connection of its own store and cloud, closed with the test. */
export const connected = async (
  directory = temporaryDirectory(onTestFinished),
  more: Partial<Pick<ConnectOptions, "providers" | "telemetry" | "plugins" | "notifications">> = {},
  simulated: SimulatedProvider.SimulatedOptions = {}
) => {
  const cloud = SimulatedProvider.make(simulated)
  const open = async (): Promise<Connection> => {
    const providers = [cloud.provider]
    const signalbox = await connect({ directory, providers, synchronous: "normal", by: "ada", ...more })
    onTestFinished(() => signalbox.close())
    return signalbox
  }
  return { cloud, directory, open, signalbox: await open() }
}

/** A deployment whose release 1.0.0 is live. */
export const deployed = async (signalbox: Connection, config: Config = configuration()): Promise<string> => {
  const { deploymentId } = await signalbox.deployments.init({ configuration: config })
  const first = await signalbox.deploy({ configuration: config, deploymentId, environment, version: "1.0.0" })
  const { status } = await first.done
  if (status !== "completed") throw new Error(`the first deployment is ${status}`)
  return deploymentId
}

/** Reads until an event of that tag has come. */
export const seen = async (events: AsyncIterable<{ readonly event: { readonly _tag: string } }>, tag: string) => {
  for await (const { event } of events) if (event._tag === tag) return
  throw new Error(`${tag} never came`)
}

/** Reads to the end. */
export const collect = async <A>(all: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const items: Array<A> = []
  for await (const one of all) items.push(one)
  return items
}

/** What a promise rejects with. */
export const rejected = async (promise: Promise<unknown>): Promise<SignalboxError> => {
  const error: unknown = await promise.then(
    () => new Error("it did not reject"),
    (error: unknown) => error
  )
  if (!isSignalboxError(error)) throw error
  return error
}
