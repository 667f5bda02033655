import { ProviderSuite } from "@signalbox/core/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { capabilities } from "../../src/cloudrun/CloudRunProvider.ts"
import { ApiError, type GcpSimulator, retryInfo } from "../../src/testing/index.ts"
import {
  candidate,
  effectsOf,
  image,
  measuringOf,
  parent,
  platform,
  reachable,
  ref,
  service,
  sharesOf,
  turning
} from "./platform.ts"

type ProviderHarness = ProviderSuite.ProviderHarness

interface Harness extends ProviderHarness {
  readonly simulator: GcpSimulator
}

const simulatorOf = (harness: ProviderHarness): GcpSimulator => (harness as Harness).simulator

const harness = (transport: "grpc" | "rest") =>
  Effect.gen(function* () {
    const simulator = yield* Effect.acquireRelease(
      Effect.promise(() => platform()),
      (simulator) => Effect.promise(simulator.close)
    )
    const provider = Effect.sync(() => measuringOf(simulator, transport))
    return {
      simulator,
      provider: yield* provider,
      another: provider,
      ref,
      clock: turning(simulator, yield* Clock.Clock),
      candidates: {
        v1: candidate("v1"),
        v2: candidate("v2"),
        slow: candidate("slow"),
        broken: candidate("broken")
      },
      live: Effect.promise(async () => {
        await simulator.create(parent, "api", {
          template: { containers: [{ image: image("v1") }] },
          traffic: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }]
        })
        while (simulator.service(service)!.reconciling) await new Promise((resolve) => setImmediate(resolve))
      }),
      probe: {
        traffic: Effect.promise(() => sharesOf(simulator)),
        capacity: Effect.sync(() => reachable(simulator)),
        effects: (key: string) => Effect.sync(() => effectsOf(simulator, key))
      }
    } satisfies Harness
  })

/** Refuses every call until it is over. */
const refusing = (error: () => ApiError) => {
  const ends = new WeakMap<object, () => void>()
  return {
    begin: (harness: ProviderHarness) =>
      Effect.sync(() => void ends.set(harness, simulatorOf(harness).fault({ refuse: error() }))),
    end: (harness: ProviderHarness) => Effect.sync(() => ends.get(harness)!())
  }
}

for (const transport of ["grpc", "rest"] as const) {
  ProviderSuite.suite(`gcp:cloud-run over ${transport}`, {
    capabilities,
    groups: ["metrics", "drift", "restart", "canGoBack"],
    timeoutMillis: 900_000,
    concurrent: true,
    make: harness(transport),
    credentials: refusing(() => new ApiError("UNAUTHENTICATED", "Request had invalid authentication credentials.")),
    throttling: refusing(() => new ApiError("RESOURCE_EXHAUSTED", "Too many requests.", [retryInfo(1)])),
    foreign: {
      begin: (harness) =>
        Effect.promise(async () => {
          const simulator = simulatorOf(harness)
          simulator.pace({ operationMillis: 3600_000 })
          await simulator.edit(service, { labels: { team: "shop" } })
        }),
      end: (harness) =>
        Effect.promise(async () => {
          const simulator = simulatorOf(harness)
          simulator.pace({ operationMillis: 0 })
          await simulator.edit(service, { labels: { team: "web" } })
          while (simulator.service(service)!.reconciling) await new Promise((resolve) => setImmediate(resolve))
        })
    },
    loseAnswer: (harness) =>
      Effect.sync(() => void simulatorOf(harness).fault({ method: /^(Create|Update|Delete)/, nth: 1, lost: true }))
  })
}
