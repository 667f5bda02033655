import { defineConfig, type PlannedStack, type Signalbox } from "@signalbox/core"
import type { ExecutionView, RemainingTime } from "@signalbox/core/api"
import type { DeploymentStore, LeaseStore, Providers, StoreError } from "@signalbox/core/spi"
import {
  type BlockedError,
  type CommandHandle,
  type CommandResult,
  connect,
  type Connection,
  type ExecutionHandle,
  isSignalboxError,
  type SignalboxError,
  SignalboxNode
} from "@signalbox/node"
import type { Effect, Layer } from "effect"
import { describe, expectTypeOf, it } from "vitest"

const configuration = defineConfig({
  organization: "acme",
  project: "shop",
  environments: { production: {} },
  stacks: [{ name: "web", provider: "local" }]
})

// Checked by the compiler alone; nothing here runs anything.
describe("the types of the SDK", () => {
  it("one layer gives all that a program on Effect needs", () => {
    type Services = Signalbox | DeploymentStore | LeaseStore | Providers
    expectTypeOf(SignalboxNode.layerEmbedded).returns.toEqualTypeOf<Layer.Layer<Services>>()
    expectTypeOf(SignalboxNode.layerPostgres).returns.toEqualTypeOf<Layer.Layer<Services, StoreError>>()
    expectTypeOf(SignalboxNode.layerEmbedded).parameter(0).toHaveProperty("directory")
    // @ts-expect-error a layer without providers could do nothing
    expectTypeOf(SignalboxNode.layerEmbedded).toBeCallableWith({ directory: "." })
  })

  it("the facade takes plain texts and gives plain promises", () => {
    expectTypeOf(connect).returns.resolves.toEqualTypeOf<Connection>()
    expectTypeOf<Connection["deploy"]>().returns.resolves.toEqualTypeOf<ExecutionHandle>()
    expectTypeOf<Connection["deploy"]>().toBeCallableWith({
      configuration,
      deploymentId: "DX6604E",
      environment: "production",
      strategy: "canary",
      signal: new AbortController().signal
    })
    expectTypeOf<Connection["plan"]>().returns.resolves.toEqualTypeOf<ReadonlyArray<PlannedStack>>()
    expectTypeOf<ExecutionHandle["done"]>().resolves.toEqualTypeOf<ExecutionView>()
    expectTypeOf<ExecutionView["stacks"][number]["name"]>().toExtend<string>()
    // @ts-expect-error there is no such strategy
    expectTypeOf<Connection["deploy"]>().parameter(0).toHaveProperty("strategy").toEqualTypeOf<"canry">()
  })

  it("the target is a deployment or a project, never both or none", () => {
    const lock = { environment: "production", reason: "maintenance" }
    expectTypeOf<Connection["locks"]["hold"]>().toBeCallableWith({ ...lock, project: "acme/shop", until: new Date() })
    expectTypeOf<Connection["locks"]["hold"]>().toBeCallableWith({ ...lock, deploymentId: "DX6604E", configuration })
    // @ts-expect-error of what?
    expectTypeOf<Connection["locks"]["hold"]>().toBeCallableWith(lock)
    // @ts-expect-error which of the two?
    expectTypeOf<Connection["canDeploy"]>().toBeCallableWith({ ...lock, project: "shop", deploymentId: "DX6604E" })
    expectTypeOf<Connection["executions"]["estimate"]>().returns.resolves.toEqualTypeOf<RemainingTime | null>()
    expectTypeOf<CommandHandle["done"]>().resolves.toEqualTypeOf<CommandResult>()
  })

  it("no method gives an Effect", () => {
    type Groups = "deployments" | "executions" | "locks" | "queue"
    type Called<Methods> = { [Name in keyof Methods]: Methods[Name] extends (...args: never) => infer A ? A : never }
    type Returned =
      | Called<Omit<Connection, Groups>>[keyof Omit<Connection, Groups>]
      | { [Group in Groups]: Called<Connection[Group]>[keyof Connection[Group]] }[Groups]
    expectTypeOf<Extract<Returned, Effect.Effect<unknown, unknown, unknown>>>().toBeNever()
  })

  it("errors are Errors, distinguished by their tag", () => {
    expectTypeOf<SignalboxError>().toExtend<Error>()
    expectTypeOf<SignalboxError["code"]>().toExtend<string>()
    expectTypeOf<SignalboxError["hint" | "path"]>().toEqualTypeOf<string | undefined>()
    const handle = (error: unknown) => {
      if (!isSignalboxError(error)) return
      switch (error._tag) {
        case "BlockedError":
          expectTypeOf(error.blockers[0]!.since).toEqualTypeOf<Date | null>()
          return expectTypeOf(error).toEqualTypeOf<BlockedError>()
        case "QueueTimeoutError":
          return expectTypeOf(error.correlationId).toEqualTypeOf<string>()
        case "ConfigurationError":
          return expectTypeOf(error.issues[0]!.path).toEqualTypeOf<string>()
        case "StoreFailedError":
          return expectTypeOf(error.reason).toExtend<string>()
        case "InvalidInputError":
        case "NotFoundError":
        case "ConflictError":
        case "LeaseLostError":
        case "ProviderFailedError":
        case "InterruptedError":
        case "UnexpectedError":
          return
        default:
          return expectTypeOf(error).toBeNever()
      }
    }
    expectTypeOf(handle).parameter(0).toBeUnknown()
  })
})
