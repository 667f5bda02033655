/** The conformance suite of a simulated cloud. */
import {
  type Capabilities,
  DeploymentId,
  EnvironmentName,
  type Mutation,
  StackName,
  type StackRef
} from "@signalbox/core/spi"
import { ProviderSuite, type SimulatedProvider, testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"

export const ref: StackRef = {
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("api"),
  properties: { size: 1 }
}

export const mutation = (idempotencyKey: string, fence = 1): Mutation => testMutation(idempotencyKey, { fence })

type Cloud = SimulatedProvider.SimulatedProvider

/** The capabilities and the groups that a shape stands for. */
export const expected = (shape: SimulatedProvider.SimulatedCapabilities) => {
  const { alarms, canGoBack, drift, events, fence, logs, metrics, restart, ...declared } = shape
  const given = { metrics, drift, restart, events, fence, canGoBack, alarms, logs }
  const capabilities: Capabilities = {
    spiVersion: 1,
    traffic: "percent",
    capacity: true,
    fencing: "compared",
    outputs: ["url"],
    ...declared
  }
  return { capabilities, groups: (Object.keys(given) as Array<keyof typeof given>).filter((group) => given[group]) }
}

export const keepsThePort = (
  name: string,
  declared: Pick<ProviderSuite.ProviderSuiteOptions, "capabilities" | "groups">,
  makeCloud: () => Cloud,
  more: Partial<ProviderSuite.ProviderSuiteOptions> = {}
): void => {
  const clouds = new WeakMap<ProviderSuite.ProviderHarness, Cloud>()
  const when = (change: (cloud: Cloud) => void) => (harness: ProviderSuite.ProviderHarness) =>
    Effect.sync(() => change(clouds.get(harness)!))
  ProviderSuite.suite(name, {
    ...declared,
    make: Effect.sync(() => {
      const cloud = makeCloud()
      cloud.script("api", "broken", { broken: "it exits at once" })
      cloud.script("api", "slow", { stageMillis: 500 })
      const version = (id: string) => id.slice(0, id.lastIndexOf("-"))
      const versions = (entries: ReadonlyArray<readonly [string, number]>) =>
        Object.fromEntries(entries.filter(([, value]) => value > 0).map(([id, value]) => [version(id), value]))
      const harness: ProviderSuite.ProviderHarness = {
        provider: cloud.provider,
        // The cloud remembers, and its adapter does not.
        another: Effect.succeed(cloud.provider),
        ref,
        candidates: {
          v1: { version: "v1" },
          v2: { version: "v2" },
          broken: { version: "broken" },
          slow: { version: "slow" }
        },
        live: cloud.live(ref, "v1"),
        alarm: (state) =>
          Effect.as(
            Effect.sync(() => cloud.alarm(`is-${state}`, state)),
            `is-${state}`
          ),
        tamper: {
          fields: ["size", "replicas"],
          change: (field) => Effect.sync(() => cloud.tamper(ref, { field, expected: "2", actual: "1", owned: false }))
        },
        write: (text) => cloud.write(ref, text),
        probe: {
          traffic: Effect.map(cloud.inspect(ref), ({ traffic }) => versions(Object.entries(traffic))),
          capacity: Effect.map(cloud.inspect(ref), ({ releases }) => versions(releases.map((id) => [id, 2]))),
          instances: Effect.sync(() => [
            `run-${cloud.ledger.filter(({ operation }) => operation === "restart").length}`
          ]),
          effects: (key: string) =>
            Effect.sync(() => cloud.ledger.filter((entry) => entry.idempotencyKey === key).length)
        }
      }
      clouds.set(harness, cloud)
      return harness
    }),
    classify: [
      {
        name: "a foreign operation is in progress",
        reason: "Busy",
        provoke: (harness) =>
          Effect.gen(function* () {
            const { provider } = harness
            yield* clouds.get(harness)!.foreign(ref, { description: "console update", millis: 60_000 })
            const plan = yield* provider.plan(ref, { version: "v1" })
            return yield* provider.stage(ref, { plan, capacityPercent: 100 }, mutation("busy"))
          })
      }
    ],
    credentials: { begin: when((cloud) => cloud.expire()), end: when((cloud) => cloud.renew()) },
    foreign: {
      begin: (harness) => clouds.get(harness)!.foreign(ref, { description: "console update", millis: 600_000 }),
      end: (harness) => clouds.get(harness)!.foreign(ref, null)
    },
    loseAnswer: (harness, operation) =>
      when((cloud) =>
        cloud.fail({ operation, after: true, reason: { _tag: "Unavailable", message: "the connection was cut" } })
      )(harness),
    throttling: { begin: when((cloud) => cloud.throttle(true)), end: when((cloud) => cloud.throttle(false)) },
    ...more
  })
}
