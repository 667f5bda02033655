import { assert, describe, it } from "@effect/vitest"
import {
  type Capabilities,
  DeploymentId,
  EnvironmentName,
  type Provider,
  ProviderError,
  StackName,
  type StackRef
} from "@signalbox/core/spi"
import { ProviderSuite, SimulatedProvider } from "@signalbox/core/testing"
import { Cause, Effect, Exit } from "effect"

const ref: StackRef = {
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("api"),
  properties: {}
}

type Cloud = SimulatedProvider.SimulatedProvider

/** A bug, and the check that has to find it. */
interface Planted {
  readonly found: string
  readonly plant: (provider: Provider, cloud: Cloud) => Provider
  readonly capabilities?: Partial<Capabilities>
}

const error = (reason: ProviderError["reason"]) =>
  new ProviderError({ provider: "simulated", operation: "test", stackName: "api", reason })

const reported = <A>(call: Effect.Effect<A, ProviderError>, reason: ProviderError["reason"]) =>
  Effect.mapError(call, (failure) => (failure.reason._tag === "Expired" ? error(reason) : failure))

const suiteOf = ({ capabilities = {}, plant }: Omit<Planted, "found">) => {
  const options = { capabilities: { ...SimulatedProvider.shapes.revisions, ...capabilities } }
  const clouds = new Map<Provider, Cloud>()
  const cloudOf = ({ provider }: ProviderSuite.ProviderHarness) => clouds.get(provider)!
  const sample = SimulatedProvider.make(options)
  return ProviderSuite.checks({
    capabilities: sample.provider.capabilities,
    make: Effect.sync(() => {
      const cloud = SimulatedProvider.make(options)
      cloud.script("api", "broken", { broken: "it exits at once" })
      cloud.script("api", "slow", { stageMillis: 500 })
      const provider = plant(cloud.provider, cloud)
      clouds.set(provider, cloud)
      const version = (id: string) => id.slice(0, id.lastIndexOf("-"))
      const versions = (entries: ReadonlyArray<readonly [string, number]>) =>
        Object.fromEntries(entries.filter(([, value]) => value > 0).map(([id, value]) => [version(id), value]))
      return {
        provider,
        ref,
        candidates: {
          v1: { version: "v1" },
          v2: { version: "v2" },
          broken: { version: "broken" },
          slow: { version: "slow" }
        },
        probe: {
          traffic: Effect.map(cloud.inspect(ref), ({ traffic }) => versions(Object.entries(traffic))),
          capacity: Effect.map(cloud.inspect(ref), ({ releases }) => versions(releases.map((id) => [id, 2]))),
          effects: (key: string) =>
            Effect.sync(() => cloud.ledger.filter((entry) => entry.idempotencyKey === key).length)
        }
      }
    }),
    credentials: {
      expire: (harness) => Effect.sync(() => cloudOf(harness).expire()),
      renew: (harness) => Effect.sync(() => cloudOf(harness).renew())
    }
  })
}

const planted: Readonly<Record<string, Planted>> = {
  "expired credentials are reported as denied": {
    found: "reports expired credentials as such, and carries on where it was once they are renewed",
    plant: (provider) => ({
      ...provider,
      stage: (...given) => reported(provider.stage(...given), { _tag: "Denied", message: "no" })
    })
  },
  "a stack that cannot be seen is taken for absent": {
    found: "reports expired credentials as such, and carries on where it was once they are renewed",
    plant: (provider) => ({
      ...provider,
      observe: (asked) => Effect.catch(provider.observe(asked), () => SimulatedProvider.make().provider.observe(asked))
    })
  }
}

describe("the provider suite", () => {
  for (const [bug, one] of Object.entries(planted)) {
    it.live(`finds that ${bug}`, () =>
      Effect.gen(function* () {
        const named = ({ title }: ProviderSuite.ProviderCheck) => title === one.found
        const healthy = suiteOf({ ...one, plant: (provider) => ({ ...provider }) }).find(named)
        const check = suiteOf(one).find(named)
        assert.isDefined(healthy)
        assert.isDefined(check)
        const well = yield* Effect.exit(healthy!.run)
        assert.isTrue(Exit.isSuccess(well), Exit.isFailure(well) ? Cause.pretty(well.cause) : "")
        assert.isTrue(Exit.isFailure(yield* Effect.exit(check!.run)))
      })
    )
  }
})
