import { CorrelationId, EnvironmentName, Manifest, Signalbox } from "@signalbox/core"
import { SignalboxNode } from "@signalbox/node"
import { LocalProvider } from "@signalbox/provider-local"
import { Effect, Schema } from "effect"

const directory = ".signalbox"
const environment = EnvironmentName.make("production")
const correlationId = CorrelationId.make("first-deploy")
const properties = { command: ["node", "server.mjs"], artifact: "./web" }
const web = { name: "web", provider: "local", gate: { interval: "1 second" }, properties }
const configuration = { organization: "acme", project: "shop", environments: { production: {} }, stacks: [web] }

const deploy = Effect.gen(function* () {
  const signalbox = yield* Signalbox
  const manifest = yield* Schema.decodeUnknownEffect(Manifest)(configuration)
  const request = { kind: "deploy", correlationId, environment, manifest, by: "me", version: "1.0.0" } as const
  const { deploymentId } = yield* signalbox.deployments.init(request)
  yield* signalbox.executions.submit({ ...request, deploymentId })
  return yield* signalbox.executions.run(correlationId)
})

const layer = SignalboxNode.layerEmbedded({ directory, providers: [LocalProvider.make({ directory })] })
const state = await Effect.runPromise(Effect.provide(deploy, layer))
console.log(state.status, state.stacks[0]?.outputs["url"])
