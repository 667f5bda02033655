/** Removes what main.ts has left running in this folder. */
import { DeploymentStore, EnvironmentName, type Mutation, type StackRef } from "@signalbox/core/spi"
import { embeddedStore } from "@signalbox/node"
import { LocalProvider } from "@signalbox/provider-local"
import { Duration, Effect } from "effect"

const directory = ".signalbox"
const provider = LocalProvider.make({ directory })
// Larger than any fence that a lease has had here.
const mutation: Mutation = {
  idempotencyKey: "stop",
  fence: 1_000_000,
  guard: Effect.void,
  progress: () => Effect.void,
  handle: { get: Effect.succeed(null), set: () => Effect.void },
  leaseLeft: Effect.succeed(Duration.minutes(1))
}

const stop = Effect.gen(function* () {
  const store = yield* DeploymentStore
  for (const { deploymentId, stacks } of yield* store.deployments) {
    for (const stack of stacks) {
      const ref: StackRef = { deploymentId, environment: EnvironmentName.make("production"), stack, properties: {} }
      yield* provider.destroy(ref, mutation)
      console.log(stack, (yield* provider.observe(ref)).status)
    }
  }
})

await Effect.runPromise(Effect.provide(stop, embeddedStore({ directory })))
