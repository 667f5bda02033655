import { ProviderSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { capabilities } from "../../src/jobs/JobProvider.ts"
import { ApiError, type GcpSimulator, retryInfo } from "../../src/testing/index.ts"
import { candidate, platform } from "../cloudrun/platform.ts"
import { configured, effectsOf, job, providerOf, ref } from "./platform.ts"

interface Harness extends ProviderSuite.ProviderHarness {
  readonly simulator: GcpSimulator
}

const simulatorOf = (harness: ProviderSuite.ProviderHarness): GcpSimulator => (harness as Harness).simulator

const harness = (transport: "grpc" | "rest") =>
  Effect.gen(function* () {
    const simulator = yield* Effect.acquireRelease(
      Effect.promise(() => platform()),
      (simulator) => Effect.promise(simulator.close)
    )
    const provider = Effect.sync(() => providerOf(simulator, transport))
    return {
      simulator,
      provider: yield* provider,
      another: provider,
      ref,
      candidates: {
        v1: candidate("v1"),
        v2: candidate("v2"),
        slow: candidate("slow"),
        broken: candidate("broken")
      },
      probe: {
        traffic: Effect.sync(() =>
          Object.fromEntries(Object.keys(configured(simulator)).map((version) => [version, 100]))
        ),
        capacity: Effect.sync(() => configured(simulator)),
        effects: (key: string) => Effect.sync(() => effectsOf(simulator, key))
      }
    } satisfies Harness
  })

const refusing = (error: () => ApiError) => {
  const ends = new WeakMap<object, () => void>()
  return {
    begin: (harness: ProviderSuite.ProviderHarness) =>
      Effect.sync(() => void ends.set(harness, simulatorOf(harness).fault({ refuse: error() }))),
    end: (harness: ProviderSuite.ProviderHarness) => Effect.sync(() => ends.get(harness)!())
  }
}

for (const transport of ["grpc", "rest"] as const) {
  ProviderSuite.suite(`gcp:cloud-run-job over ${transport}`, {
    capabilities,
    groups: ["canGoBack"],
    timeoutMillis: 900_000,
    concurrent: true,
    make: harness(transport),
    credentials: refusing(() => new ApiError("UNAUTHENTICATED", "Request had invalid authentication credentials.")),
    throttling: refusing(() => new ApiError("RESOURCE_EXHAUSTED", "Too many requests.", [retryInfo(1)])),
    foreign: {
      begin: (harness) =>
        Effect.promise(async () => {
          const simulator = simulatorOf(harness)
          simulator.push("example.com/shop/api:v1", { startMillis: 3_600_000 })
          await simulator.execute(job)
        }),
      end: (harness) => Effect.promise(() => simulatorOf(harness).endExecutions(job))
    },
    loseAnswer: (harness) =>
      Effect.sync(() => void simulatorOf(harness).fault({ method: "RunJob", nth: 1, lost: true }))
  })
}
