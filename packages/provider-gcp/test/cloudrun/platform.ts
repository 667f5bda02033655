/**
 * A simulator of its own, with images to deploy there, and looks at it that do not go through the provider.
 */
import { DeploymentId, EnvironmentName, StackName, type StackRef } from "@signalbox/core/spi"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { stepOf } from "../../src/marks.ts"
import { make } from "../../src/cloudrun/CloudRunProvider.ts"
import { type GcpSimulator, type GcpSimulatorOptions, startGcpSimulator } from "../../src/testing/index.ts"

export const parent = "projects/shop-1/locations/europe-west1"
export const service = `${parent}/services/api`
export const image = (version: string): string => `example.com/shop/api:${version}`

export const refOf = (properties: { readonly [key: string]: unknown } = {}): StackRef => ({
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("api"),
  properties: { service: "api", project: "shop-1", ...properties } as StackRef["properties"],
  region: "europe-west1"
})

export const ref = refOf()

/** Four images: two that start, one that does not, and one that takes its time. */
export const platform = async (options: GcpSimulatorOptions = {}): Promise<GcpSimulator> => {
  const simulator = await startGcpSimulator(options)
  for (const version of ["v1", "v2"]) simulator.push(image(version), { body: version })
  simulator.push(image("slow"), { body: "slow", startMillis: 700 })
  simulator.push(image("broken"), { fails: "The container failed to listen on the port defined by PORT=8080." })
  return simulator
}

export const providerOf = (simulator: GcpSimulator, transport: "grpc" | "rest" = "grpc", endpoint?: string) =>
  make({ endpoint: endpoint ?? simulator[transport], transport, poll: { first: 5, most: 50 } })

/** A provider with metrics and logs, which asks what its caller may do. */
export const measuringOf = (simulator: GcpSimulator, transport: "grpc" | "rest" = "grpc") =>
  make({
    endpoint: simulator[transport],
    transport,
    monitoringEndpoint: simulator.rest,
    loggingEndpoint: simulator.rest,
    iamEndpoint: simulator.rest,
    projectsEndpoint: simulator.rest,
    poll: { first: 5, most: 50 }
  })

/** The clock of the metrics. Sleeps of a second or more turn it forward, with a request in each minute. */
export const turning = (simulator: GcpSimulator, clock: Clock.Clock): Clock.Clock => {
  const { later, now } = simulator.monitoring
  const nanos = () => BigInt(now()) * 1_000_000n
  return {
    currentTimeMillisUnsafe: now,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) => {
      const seconds = Duration.toMillis(duration) / 1_000
      if (seconds < 1) return clock.sleep(duration)
      return Effect.promise(async () => {
        for (let left = seconds; left > 0; left -= 60) {
          await sharesOf(simulator, 1)
          later(Math.min(60, left))
        }
      })
    }
  }
}

export const candidate = (version: string) => ({ version, artifact: image(version) })

/** The version that answers at an address. */
const versionAt = async (url: string): Promise<string> => (await fetch(url)).text()

/** The share of each version in percent, by asking. */
export const sharesOf = async (simulator: GcpSimulator, requests = 100): Promise<Record<string, number>> => {
  const uri = simulator.service(service)?.uri
  const counts: Record<string, number> = {}
  for (let n = 0; uri !== undefined && n < requests; n++) {
    const version = await versionAt(uri)
    counts[version] = (counts[version] ?? 0) + 100 / requests
  }
  return counts
}

/** How many revisions of each version requests can reach. */
export const reachable = (simulator: GcpSimulator): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const revision of simulator.instances(service)) {
    const version = simulator.images(service).get(revision)!.replace(/^.*:/, "")
    counts[version] = (counts[version] ?? 0) + 1
  }
  return counts
}

/** How many changes a step has made. A deletion carries no record, so its key has to say what it is. */
export const effectsOf = (simulator: GcpSimulator, key: string): number =>
  simulator.changes.filter(({ failed, method, request }) => {
    if (failed !== undefined) return false
    if (method === "DeleteService") return key.includes("destroy")
    const { annotations = {} } = request["service"] as { readonly annotations?: Record<string, string> }
    const state = JSON.parse(annotations["signalbox.dev/state"] ?? "{}") as { readonly step?: string }
    return state.step === stepOf(key)
  }).length
